import Files
import Foundation
import Testing
import Torch

/// Written files are read back byte for byte, and conform to the format.
@Suite struct SafetensorsTests {
    private let folder: TemporaryFolder
    private var file: URL { folder.url.appendingPathComponent("model.safetensors") }

    init() throws { folder = try TemporaryFolder() }

    @Test func everyElementTypeComesBack() throws {
        let tensors = try DType.allCases.map { dtype in
            (name: dtype.rawValue, tensor: try Tensor([0.0, 1, 1, 0, 1, 0], shape: [3, 2]).cast(to: dtype))
        }
        try Safetensors.write(tensors, to: file)
        let read = try Safetensors(contentsOf: file)
        #expect(read.names == DType.allCases.map(\.rawValue).sorted())
        #expect(read.metadata.isEmpty)
        for (name, tensor) in tensors {
            let found = try read.tensor(name)
            #expect(try found.dtype.rawValue == name)
            #expect(read.entries[name]?.dtype?.rawValue == name)
            #expect(try found.shape == [3, 2])
            #expect(try found.bytes() == tensor.bytes(), "\(name)")
        }
    }

    @Test func bitsComeBack() throws {
        var random = Random(state: 9)
        let bytes = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
        for dtype in DType.allCases where dtype != .bool {
            let tensor = try bytes.withUnsafeBytes {
                try Tensor(bytes: $0, shape: [bytes.count / dtype.width], dtype: dtype)
            }
            try Safetensors.write([("bits", tensor)], to: file)
            #expect(try Safetensors(contentsOf: file).tensor("bits").bytes() == bytes, "\(dtype)")
        }
    }

    @Test(arguments: [
        "plain", "module.blocks.0.attn_qkv.weight", "", " ", "größer 🐈", "日本/語", "a\"b", "back\\slash", "slash/slash",
        "line\nend", "tab\t", "\u{1}", "e\u{301}", "{}", "null", "\u{2028}", "'",
    ])
    func namesComeBack(name: String) throws {
        let metadata = ["format": "pt", name: "value of " + name]
        try Safetensors.write([(name, Tensor([1, 2])), (name + "2", Tensor([3]))], metadata: metadata, to: file)
        let read = try Safetensors(contentsOf: file)
        #expect(read.metadata == metadata)
        #expect(Set(read.names) == [name, name + "2"])
        #expect(try read.tensor(name).array(Int.self) == [1, 2])
        #expect(try read.tensor(name + "2").array(Int.self) == [3])
    }

    @Test func shapesComeBack() throws {
        let base = try Tensor((0..<6).map(Float.init), shape: [2, 3])
        let tensors: [(name: String, tensor: Tensor)] = try [
            ("a number", Tensor([7.5], shape: [])), ("nothing", Tensor.zeros([0, 4])),
            ("a view", base.transposed(0, 1)), ("a part", base.narrowed(1, from: 1, length: 1)),
            ("one number, repeated", Tensor([9.0], shape: [1]).expanded([4])),
        ]
        try Safetensors.write(tensors, to: file)
        let read = try Safetensors(contentsOf: file)
        for (name, tensor) in tensors {
            #expect(try read.tensor(name).shape == tensor.shape, "\(name)")
            #expect(try read.tensor(name).array(Double.self) == tensor.array(Double.self), "\(name)")
        }
    }

    @Test func fileOfNoTensors() throws {
        try Safetensors.write([], metadata: ["why": "nothing"], to: file)
        let read = try Safetensors(contentsOf: file)
        #expect(read.names.isEmpty)
        #expect(read.metadata == ["why": "nothing"])
    }

    // Written byte by byte, so that reader and writer cannot share an error.
    @Test func bytesOfAFile() throws {
        let header = #"{"w":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}"#
        let bytes =
            [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [1, 0, 0, 0, 0xFE, 255, 255, 255]
        let read = try Safetensors(contentsOf: folder.file("hand.safetensors", bytes))
        #expect(try read.tensor("w").array(Int32.self) == [1, -2])

        try Safetensors.write([("w", Tensor([1, -2] as [Int32]))], to: file)
        let written = [UInt8](try Data(contentsOf: file))
        let length = Int(written[0])
        #expect(written[1..<8].allSatisfy { $0 == 0 })
        #expect(length % 8 == 0, "elements start at a multiple of eight")
        #expect(String(decoding: written[8..<8 + length], as: UTF8.self).trimmingCharacters(in: .whitespaces) == header)
        #expect(Array(written[(8 + length)...]) == Array(bytes.suffix(8)))
    }

    @Test func emptyTensorsMayLieAnywhere() throws {
        let header =
            #"{"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},"w":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}"#
        let bytes = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [1, 2, 3, 4, 5, 6, 7, 8]
        let read = try Safetensors(contentsOf: folder.file("hand.safetensors", bytes))
        #expect(try read.tensor("e").count == 0)
        #expect(try read.tensor("w").array(UInt8.self) == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func aNameThatIsNotThere() throws {
        try Safetensors.write((1...9).map { ("tensor \($0)", try Tensor([$0])) }, to: file)
        let read = try Safetensors(contentsOf: file)
        let error = #expect(throws: FileError.self) { _ = try read.tensor("absent") }
        for word in [file.path, "no tensor 'absent'", "tensor 1"] {
            #expect(error?.description.contains(word) == true, "\(String(describing: error))")
        }
    }

    @Test func writingReplacesTheFileWhole() throws {
        try Safetensors.write([("old", Tensor.zeros([1000]))], to: file)
        let old = try Safetensors(contentsOf: file)
        try Safetensors.write([("new", Tensor([1]))], to: file)
        #expect(try old.tensor("old").count == 1000, "who has the old file open still reads it")
        #expect(try Safetensors(contentsOf: file).names == ["new"])
        #expect(try folder.contents == ["model.safetensors"])
    }
}
