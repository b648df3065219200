import Files
import Foundation
import TensorFiles
import Torch

/// Writes files that `torch.load` reads: dictionaries, lists, numbers and float32 tensors.
struct PickleWriter {
    /// A value that can be written.
    indirect enum Node {
        case integer(Int)
        case number(Double)
        case tuple([Node])
        case list([Node])
        case dictionary([(String, Node)])
        case tensor(Tensor)
    }

    private var bytes: [UInt8] = []
    private var storages: [[UInt8]] = []

    /// Writes `root` as a PyTorch archive to `url`, atomically.
    ///
    /// - Parameter configuration: `config.json`, stored as an additional record, which PyTorch ignores.
    /// - Throws: `FileError` of kind `cannotWrite`.
    static func write(_ root: Node, configuration: Data? = nil, to url: URL) throws {
        var writer = PickleWriter()
        writer.bytes = [0x80, 2]  // PROTO 2
        try writer.add(root)
        writer.bytes.append(UInt8(ascii: "."))
        var archive = try ZipWriter(url, folder: url.deletingPathExtension().lastPathComponent)
        try archive.add("data.pkl", writer.bytes)
        try archive.add("byteorder", Array("little".utf8))
        for (key, storage) in writer.storages.enumerated() { try archive.add("data/\(key)", storage) }
        try archive.add("version", Array("3\n".utf8))
        if let configuration { try archive.add("config.json", [UInt8](configuration)) }
        try archive.finish()
    }

    private mutating func add(_ node: Node) throws {
        switch node {
        case .integer(let value): add(value)
        case .number(let value):
            bytes.append(UInt8(ascii: "G"))
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift)))
            }
        case .tuple(let items):
            bytes.append(UInt8(ascii: "("))
            for item in items { try add(item) }
            bytes.append(UInt8(ascii: "t"))
        case .list(let items):
            bytes += [UInt8(ascii: "]"), UInt8(ascii: "(")]
            for item in items { try add(item) }
            bytes.append(UInt8(ascii: "e"))
        case .dictionary(let entries):
            bytes += [UInt8(ascii: "}"), UInt8(ascii: "(")]
            for (key, value) in entries {
                add(key)
                try add(value)
            }
            bytes.append(UInt8(ascii: "u"))
        case .tensor(let tensor): try add(tensor)
        }
    }

    private mutating func add(_ value: Int) {
        if let small = UInt8(exactly: value) {
            bytes += [UInt8(ascii: "K"), small]
        } else {
            bytes += [0x8A, 8]  // LONG1
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
    }

    private mutating func add(_ text: String) {
        bytes.append(UInt8(ascii: "X"))
        let utf8 = Array(text.utf8)
        for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: utf8.count >> shift)) }
        bytes += utf8
    }

    /// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
    private mutating func add(_ tensor: Tensor) throws {
        let shape = try tensor.shape
        bytes += Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + [UInt8(ascii: "("), UInt8(ascii: "(")]
        add("storage")
        bytes += Array("ctorch\nFloatStorage\n".utf8)
        add(String(storages.count))
        add("cpu")
        add(shape.reduce(1, *))
        bytes += [UInt8(ascii: "t"), UInt8(ascii: "Q")]
        add(0)
        let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
        addTuple(shape)
        addTuple(strides)
        bytes += [0x89] + Array("ccollections\nOrderedDict\n".utf8) + [UInt8(ascii: ")"), UInt8(ascii: "R")]
        bytes += [UInt8(ascii: "t"), UInt8(ascii: "R")]
        storages.append(try tensor.cast(to: .float32).bytes())
    }

    private mutating func addTuple(_ values: [Int]) {
        bytes.append(UInt8(ascii: "("))
        for value in values { add(value) }
        bytes.append(UInt8(ascii: "t"))
    }
}
