import Files

/// Reads the pickles that `torch.save` writes, and executes nothing in them.
///
/// A pickle is a small stack program. Of its names only those of ``PickleName`` are known, and they are carried out here,
/// not called; any other name is an error that says which was asked for.
struct PickleReader {
    private let bytes: [UInt8]
    private let path: String
    private var position = 0
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var heap = PickleHeap()

    /// The value that `bytes` builds.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData`, naming the file, the byte and the fault.
    static func read(_ bytes: [UInt8], path: String) throws(SEDDError) -> Pickle {
        var reader = PickleReader(bytes: bytes, path: path)
        let root = try reader.run()
        return Pickle(root: root, heap: reader.heap)
    }

    private init(bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    private mutating func run() throws(SEDDError) -> PickleValue {
        while true {
            let code = try byte()
            switch code {
            case UInt8(ascii: "."): return try pop()
            case 0x80: _ = try byte()  // PROTO
            case 0x95: _ = try take(8)  // FRAME
            case UInt8(ascii: "("): marks.append(stack.count)
            case UInt8(ascii: "0"): _ = try pop()
            case UInt8(ascii: "1"): _ = try popToMark()
            default: try push(code)
            }
        }
    }

    /// The codes that put a value on the stack, and those that change the one on top.
    private mutating func push(_ code: UInt8) throws(SEDDError) {
        switch code {
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.integer(Int(try byte())))
        case UInt8(ascii: "M"): stack.append(.integer(try unsigned(2)))
        case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try unsigned(4)))))
        case 0x8A: stack.append(.integer(try longInteger(Int(try byte()))))
        case UInt8(ascii: "G"): stack.append(.number(try bigEndianDouble()))
        case UInt8(ascii: "X"): stack.append(.text(try text(unsigned(4))))
        case 0x8C: stack.append(.text(try text(Int(byte()))))
        case UInt8(ascii: "U"): stack.append(.bytes(Array(try take(Int(byte())))))
        case UInt8(ascii: "C"): stack.append(.bytes(Array(try take(Int(byte())))))
        case UInt8(ascii: "B"): stack.append(.bytes(Array(try take(unsigned(4)))))
        case UInt8(ascii: "c"): stack.append(try granted(line(), line()))
        case 0x93: stack.append(try stackGlobal())
        case UInt8(ascii: "]"): stack.append(.list(heap.add([])))
        case UInt8(ascii: "}"): stack.append(.dictionary(heap.addTable()))
        case UInt8(ascii: ")"): pushTuple([])
        case UInt8(ascii: "t"): try pushTuple(popToMark())
        case 0x85: try pushTuple(popMany(1))
        case 0x86: try pushTuple(popMany(2))
        case 0x87: try pushTuple(popMany(3))
        case UInt8(ascii: "a"): try extendList(with: popMany(1))
        case UInt8(ascii: "e"): try extendList(with: popToMark())
        case UInt8(ascii: "s"): try extendDictionary(with: popMany(2))
        case UInt8(ascii: "u"): try extendDictionary(with: popToMark())
        case UInt8(ascii: "q"): memo[Int(try byte())] = try top()
        case UInt8(ascii: "r"): memo[try unsigned(4)] = try top()
        case 0x94: memo[memo.count] = try top()
        case UInt8(ascii: "h"): stack.append(try remembered(Int(byte())))
        case UInt8(ascii: "j"): stack.append(try remembered(unsigned(4)))
        case UInt8(ascii: "Q"): stack.append(try storage(pop()))
        case UInt8(ascii: "R"), 0x81:
            let arguments = try pop()
            stack.append(try built(pop(), arguments))
        case UInt8(ascii: "b"): _ = try pop()  // Attributes of an object: of no use to tensors.
        default: throw fault("asks for operation 0x\(String(code, radix: 16)), which no tensor file needs")
        }
    }

    // MARK: Names

    private func granted(_ module: String, _ name: String) throws(SEDDError) -> PickleValue {
        guard let known = PickleName(module: module, name: name) else {
            throw fault(
                "asks for \(module).\(name); only tensors are read, nothing is executed: save the weights alone")
        }
        return .global(known)
    }

    private mutating func stackGlobal() throws(SEDDError) -> PickleValue {
        guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
            throw fault("asks for a name that is no text")
        }
        return try granted(module, name)
    }

    private func storage(_ value: PickleValue) throws(SEDDError) -> PickleValue {
        guard let parts = tuple(value), parts.count == 5, case .text("storage") = parts[0],
            case .global(.storage(let dtype)) = parts[1], case .text(let key) = parts[2],
            case .integer(let count) = parts[4], count >= 0
        else { throw fault("names a storage in an unknown way") }
        return .storage(dtype: dtype, key: key, count: count)
    }

    private mutating func built(_ callable: PickleValue, _ arguments: PickleValue) throws(SEDDError) -> PickleValue {
        guard case .global(let name) = callable, let parts = tuple(arguments) else {
            throw fault("applies something that is no known name")
        }
        switch name {
        case .orderedDictionary: return try ordered(parts)
        case .rebuildParameter:
            guard case .tensor = parts.first else { throw fault("makes a parameter of something that is no tensor") }
            return parts[0]
        case .rebuildTensor: return .tensor(try tensor(parts))
        case .ignored: return .opaque
        case .storage(let name): throw fault("applies torch.\(name), which builds no tensor")
        }
    }

    private mutating func ordered(_ parts: [PickleValue]) throws(SEDDError) -> PickleValue {
        let place = heap.addTable()
        guard let first = parts.first else { return .dictionary(place) }
        guard case .list(let pairs) = first else { throw fault("fills an ordered dictionary in an unknown way") }
        for pair in heap.sequences[pairs] {
            guard let two = tuple(pair) ?? items(pair), two.count == 2 else {
                throw fault("has a dictionary entry that is no pair")
            }
            heap.tables[place].append((two[0], two[1]))
        }
        return .dictionary(place)
    }

    private func tensor(_ parts: [PickleValue]) throws(SEDDError) -> PickledTensor {
        guard parts.count >= 4, case .storage(let dtype, let key, let count) = parts[0],
            case .integer(let offset) = parts[1], let sizes = tuple(parts[2]), let steps = tuple(parts[3])
        else { throw fault("builds a tensor in an unknown way") }
        let shape = try whole(sizes)
        let strides = try whole(steps)
        guard shape.count == strides.count, offset >= 0 else {
            throw fault("builds a tensor of shape \(shape) with strides \(strides)")
        }
        var last = offset
        for (size, stride) in zip(shape, strides) where size > 0 {
            let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, more) = last.addingReportingOverflow(reach)
            guard !overflow, !more else { throw fault("builds a tensor of impossible shape \(shape)") }
            last = sum
        }
        guard shape.contains(0) || last < count else {
            throw fault("builds a tensor that reaches element \(last) of a storage of \(count)")
        }
        return PickledTensor(dtype: dtype, key: key, count: count, offset: offset, shape: shape, strides: strides)
    }

    private func whole(_ values: [PickleValue]) throws(SEDDError) -> [Int] {
        var result: [Int] = []
        for value in values {
            guard case .integer(let number) = value, number >= 0 else {
                throw fault("has a size that is no whole number")
            }
            result.append(number)
        }
        return result
    }

    // MARK: Stack

    private mutating func pop() throws(SEDDError) -> PickleValue {
        guard let value = stack.popLast() else { throw fault("takes from an empty stack") }
        return value
    }

    private func top() throws(SEDDError) -> PickleValue {
        guard let value = stack.last else { throw fault("looks at an empty stack") }
        return value
    }

    private mutating func popMany(_ count: Int) throws(SEDDError) -> [PickleValue] {
        guard stack.count >= count else { throw fault("takes from an empty stack") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(SEDDError) -> [PickleValue] {
        guard let mark = marks.popLast(), mark <= stack.count else { throw fault("has no mark where one is needed") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func remembered(_ index: Int) throws(SEDDError) -> PickleValue {
        guard let value = memo[index] else { throw fault("recalls entry \(index), which it never stored") }
        return value
    }

    private func tuple(_ value: PickleValue) -> [PickleValue]? {
        guard case .tuple(let place) = value else { return nil }
        return heap.sequences[place]
    }

    private func items(_ value: PickleValue) -> [PickleValue]? {
        guard case .list(let place) = value else { return nil }
        return heap.sequences[place]
    }

    // Mutating, these three, so that `self` is looked at only after the arguments have been taken off the stack.

    private mutating func pushTuple(_ values: [PickleValue]) {
        stack.append(.tuple(heap.add(values)))
    }

    private mutating func extendList(with values: [PickleValue]) throws(SEDDError) {
        guard case .list(let place) = try top() else { throw fault("appends to something that is no list") }
        heap.sequences[place] += values
    }

    private mutating func extendDictionary(with values: [PickleValue]) throws(SEDDError) {
        guard case .dictionary(let place) = try top(), values.count % 2 == 0 else {
            throw fault("adds entries to something that is no dictionary")
        }
        for i in stride(from: 0, to: values.count, by: 2) { heap.tables[place].append((values[i], values[i + 1])) }
    }

    // MARK: Bytes

    private mutating func byte() throws(SEDDError) -> UInt8 {
        guard position < bytes.count else { throw fault("ends in the middle") }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ count: Int) throws(SEDDError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else { throw fault("ends in the middle") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    private mutating func unsigned(_ width: Int) throws(SEDDError) -> Int {
        try take(width).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func longInteger(_ width: Int) throws(SEDDError) -> Int {
        guard width <= 8 else { throw fault("has a whole number of \(width) bytes") }
        let raw = try take(width)
        let negative = (raw.last ?? 0) >= 0x80
        var value = negative ? -1 : 0
        for part in raw.reversed() { value = value << 8 | Int(part) }
        return value
    }

    private mutating func bigEndianDouble() throws(SEDDError) -> Double {
        Double(bitPattern: try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private mutating func text(_ count: Int) throws(SEDDError) -> String {
        String(decoding: try take(count), as: UTF8.self)
    }

    private mutating func line() throws(SEDDError) -> String {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { throw fault("ends in the middle") }
        defer { position = end + 1 }
        return String(decoding: bytes[position..<end], as: UTF8.self)
    }

    private func fault(_ what: String) -> SEDDError {
        SEDDError(.invalidData, "\(path): at byte \(position) of its pickle the file \(what)")
    }
}
