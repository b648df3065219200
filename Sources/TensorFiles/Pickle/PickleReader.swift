import Files

/// Reads the pickles of `torch.save` without executing anything in them.
///
/// A pickle is a program for a stack machine. Only the names in ``PickleName`` are recognized, and their effect is
/// implemented here; any other name yields an opaque value. The size of the result is bounded by a multiple of the
/// pickle's own size, so that memo references and copies cannot amplify it.
struct PickleReader {
    private let bytes: [UInt8]
    private let path: String
    private var position: Int
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    var heap = PickleHeap()
    /// Remaining number of values that may be put on the stack or into containers.
    private var allowance: Int

    /// The value built by `bytes` from byte `start` on.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` that names the file, the byte and the fault.
    static func read(_ bytes: [UInt8], from start: Int = 0, path: String) throws(FileError) -> Pickle {
        var reader = PickleReader(bytes: bytes, start: start, path: path)
        let root = try reader.run()
        return Pickle(root: root, heap: reader.heap, end: reader.position)
    }

    private init(bytes: [UInt8], start: Int, path: String) {
        self.bytes = bytes
        self.path = path
        position = start
        // A byte puts at most three values on the stack or into containers, and each of them moves once more.
        allowance = 8 * (bytes.count - start) + 64
    }

    private mutating func run() throws(FileError) -> PickleValue {
        while true {
            let code = try byte()
            switch code {
            case UInt8(ascii: "."): return try finished(pop())
            case 0x80: _ = try byte()  // PROTO
            case 0x95: _ = try take(8)  // FRAME
            case UInt8(ascii: "("): marks.append(stack.count)
            case UInt8(ascii: "0"): _ = try pop()
            case UInt8(ascii: "1"): _ = try popToMark()
            default: try push(code)
            }
        }
    }

    /// Opcodes that push a value, and those that modify the top of the stack.
    private mutating func push(_ code: UInt8) throws(FileError) {
        try spend(1)
        switch code {
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.integer(Int(try byte())))
        case UInt8(ascii: "M"): stack.append(.integer(try unsigned(2)))
        case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try unsigned(4)))))
        case 0x8A: stack.append(try longInteger(Int(try byte())))
        case 0x8B: stack.append(try longInteger(unsigned(4)))
        case UInt8(ascii: "G"): stack.append(.number(try bigEndianDouble()))
        case UInt8(ascii: "X"): stack.append(.text(try text(unsigned(4))))
        case 0x8C: stack.append(.text(try text(Int(byte()))))
        case 0x8D: stack.append(.text(try text(unsigned(8))))
        // Strings of Python 2, as in the names of old files.
        case UInt8(ascii: "U"): stack.append(.text(try text(Int(byte()))))
        case UInt8(ascii: "T"): stack.append(.text(try text(unsigned(4))))
        case UInt8(ascii: "C"): stack.append(.bytes(Array(try take(Int(byte())))))
        case UInt8(ascii: "B"): stack.append(.bytes(Array(try take(unsigned(4)))))
        case 0x8E, 0x96: stack.append(.bytes(Array(try take(unsigned(8)))))
        case UInt8(ascii: "c"): stack.append(.global(granted(try line(), try line())))
        case 0x93: stack.append(.global(try stackGlobal()))
        case UInt8(ascii: "]"): stack.append(.list(heap.add([])))
        case 0x8F: stack.append(.opaque(nil))  // EMPTY_SET
        case 0x91:  // FROZENSET
            _ = try popToMark()
            stack.append(.opaque(nil))
        case UInt8(ascii: "}"): stack.append(.dictionary(heap.addTable()))
        case UInt8(ascii: ")"): pushTuple([])
        case UInt8(ascii: "t"): try pushTuple(popToMark())
        case 0x85: try pushTuple(popMany(1))
        case 0x86: try pushTuple(popMany(2))
        case 0x87: try pushTuple(popMany(3))
        case UInt8(ascii: "a"): try extendList(with: popMany(1))
        case UInt8(ascii: "e"), 0x90: try extendList(with: popToMark())
        case UInt8(ascii: "s"): try extendDictionary(with: popMany(2))
        case UInt8(ascii: "u"): try extendDictionary(with: popToMark())
        case UInt8(ascii: "q"): try remember(Int(try byte()))
        case UInt8(ascii: "r"): try remember(unsigned(4))
        case 0x94: try remember(memo.count)
        case UInt8(ascii: "h"): stack.append(try remembered(Int(byte())))
        case UInt8(ascii: "j"): stack.append(try remembered(unsigned(4)))
        case UInt8(ascii: "Q"): stack.append(try storage(pop()))
        case UInt8(ascii: "R"), 0x81, 0x92:
            if code == 0x92 { _ = try pop() }  // NEWOBJ_EX: arguments by name
            let arguments = try pop()
            stack.append(try built(pop(), arguments))
        case UInt8(ascii: "b"): _ = try pop()  // Attributes of an object, which tensors do not need.
        default: throw fault("uses opcode 0x\(String(code, radix: 16)), which tensor files do not need")
        }
    }

    /// Stores the top of the stack. An entry takes hundreds of bytes, and one for every few bytes of a pickle is far
    /// more than any has.
    private mutating func remember(_ entry: Int) throws(FileError) {
        try spend(32)
        memo[entry] = try top()
    }

    /// Charges for values put on the stack or copied into containers.
    mutating func spend(_ count: Int) throws(FileError) {
        guard count <= allowance else {
            throw fault("builds more than \(8 * bytes.count) values, eight for each of its bytes")
        }
        allowance -= count
    }

    /// The result of the whole pickle must be of a known kind.
    private func finished(_ root: PickleValue) throws(FileError) -> PickleValue {
        switch root {
        case .opaque(let index?), .global(.unknown(let index)): throw refused(index)
        default: return root
        }
    }

    func refused(_ index: Int) -> FileError {
        fault(
            "references \(heap.unknown[index]); only tensors are read and nothing is executed: save only the weights, "
                + "with torch.save(model.state_dict(), FILE)")
    }

    // MARK: Stack

    mutating func pop() throws(FileError) -> PickleValue {
        guard let value = stack.popLast() else { throw fault("takes from an empty stack") }
        return value
    }

    private func top() throws(FileError) -> PickleValue {
        guard let value = stack.last else { throw fault("looks at an empty stack") }
        return value
    }

    private mutating func popMany(_ count: Int) throws(FileError) -> [PickleValue] {
        guard stack.count >= count else { throw fault("takes from an empty stack") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(FileError) -> [PickleValue] {
        guard let mark = marks.popLast(), mark <= stack.count else { throw fault("has no mark where one is needed") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func remembered(_ index: Int) throws(FileError) -> PickleValue {
        guard let value = memo[index] else { throw fault("recalls entry \(index), which it never stored") }
        return value
    }

    func tuple(_ value: PickleValue) -> [PickleValue]? {
        guard case .tuple(let place) = value else { return nil }
        return heap.sequences[place]
    }

    func items(_ value: PickleValue) -> [PickleValue]? {
        guard case .list(let place) = value else { return nil }
        return heap.sequences[place]
    }

    // Mutating, so that `self` is accessed only after the arguments have been popped.

    private mutating func pushTuple(_ values: [PickleValue]) {
        stack.append(.tuple(heap.add(values)))
    }

    private mutating func extendList(with values: [PickleValue]) throws(FileError) {
        if case .opaque = try top() { return }
        guard case .list(let place) = try top() else { throw fault("appends to something that is not a list") }
        try spend(values.count)
        heap.sequences[place] += values
    }

    private mutating func extendDictionary(with values: [PickleValue]) throws(FileError) {
        if case .opaque = try top() { return }
        guard case .dictionary(let place) = try top(), values.count % 2 == 0 else {
            throw fault("adds entries to something that is not a dictionary")
        }
        try spend(values.count / 2)
        for i in stride(from: 0, to: values.count, by: 2) { heap.tables[place].append((values[i], values[i + 1])) }
    }

    // MARK: Bytes

    private mutating func byte() throws(FileError) -> UInt8 {
        guard position < bytes.count else { throw fault("is truncated") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ count: Int) throws(FileError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else { throw fault("is truncated") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    private mutating func unsigned(_ width: Int) throws(FileError) -> Int {
        let value = try take(width).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let value = Int(exactly: value) else { throw fault("is truncated") }
        return value
    }

    /// An integer of any width; values that do not fit Int are useless for tensors.
    private mutating func longInteger(_ width: Int) throws(FileError) -> PickleValue {
        let raw = try take(width)
        guard width <= 8 else { return .opaque(nil) }
        let negative = (raw.last ?? 0) >= 0x80
        var value = negative ? -1 : 0
        for part in raw.reversed() { value = value << 8 | Int(part) }
        return .integer(value)
    }

    private mutating func bigEndianDouble() throws(FileError) -> Double {
        Double(bitPattern: try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private mutating func text(_ count: Int) throws(FileError) -> String {
        String(decoding: try take(count), as: UTF8.self)
    }

    private mutating func line() throws(FileError) -> String {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { throw fault("is truncated") }
        defer { position = end + 1 }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    func fault(_ what: String) -> FileError {
        FileError(.invalidData, "at byte \(position) of its pickle the file \(what)", source: path)
    }
}
