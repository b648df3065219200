import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// Pickles are read without executing anything; what is written is read back.
struct PyTorchFileTests {
    @Test func writtenStateDictionariesAreReadBack() throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        for name in ["weights/pytorch_model.bin", "checkpoint.pth", "model.safetensors", "folder"] {
            let target = folder.url.appending(path: name)
            try Conversion.write(network, to: target)
            for choice in Conversion.Choice.allCases {
                let found = try Conversion.load(target, choice: choice)
                let (a, b): ([Double], [Double]) = (try found.weights.flat.array(), try network.weights.flat.array())
                #expect(a == b, "\(name)")
                #expect(found.configuration.model == network.configuration.model)
            }
        }
    }

    @Test(arguments: [DType.float16, .bfloat16, .float64])
    func otherPrecisionsAreConverted(_ dtype: DType) throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        try Conversion.write(network, to: folder.url)
        let narrowed = try network.weights.named.map { (name: $0.name, tensor: try $0.tensor.cast(to: dtype)) }
        try Safetensors.write(narrowed, to: folder.url.appending(path: "model.safetensors"))
        let found: [Double] = try ModelFolder.load(folder.url).weights.flat.array()
        let difference = Difference(found, try network.weights.flat.array())
        #expect(difference.absolute < (dtype == .bfloat16 ? 2e-3 : 3e-4), "\(difference)")
    }

    struct Pickle: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let message: String
        var testDescription: String { name }
    }

    @Test(arguments: [
        Pickle(
            name: "a command",
            bytes: [0x80, 2] + Array("cposix\nsystem\nX\u{2}\0\0\0ls\u{85}R.".utf8.filter { $0 != 0xC2 }),
            message: "asks for posix.system"),
        Pickle(name: "eval", bytes: [0x80, 2] + Array("cbuiltins\neval\n.".utf8), message: "asks for builtins.eval"),
        Pickle(name: "a loader", bytes: [0x80, 2] + Array("ctorch\nload\n.".utf8), message: "asks for torch.load"),
        Pickle(
            name: "stack global",
            bytes: [0x80, 4, 0x8C, 2] + Array("os".utf8) + [0x8C, 6] + Array("system".utf8) + [0x93, 0x2E],
            message: "asks for os.system"),
        Pickle(name: "empty", bytes: [], message: "ends in the middle"),
        Pickle(name: "nothing on the stack", bytes: [0x2E], message: "takes from an empty stack"),
        Pickle(name: "no mark", bytes: [0x4E, 0x74, 0x2E], message: "has no mark"),
        Pickle(name: "a text past the end", bytes: [0x58, 255, 255, 255, 127, 65], message: "ends in the middle"),
        Pickle(name: "an unknown memo", bytes: [0x68, 9, 0x2E], message: "recalls entry 9"),
        Pickle(
            name: "an instance", bytes: Array("(icollections\nOrderedDict\n.".utf8), message: "asks for operation 0x69"),
        Pickle(
            name: "applies a number", bytes: [0x4B, 1, 0x29, 0x52, 0x2E],
            message: "applies something that is no known name"),
        Pickle(
            name: "a wide whole number", bytes: [0x8A, 200] + [UInt8](repeating: 1, count: 200) + [0x2E],
            message: "has a whole number of 200 bytes"),
        Pickle(
            name: "appends to a number", bytes: [0x4B, 1, 0x4B, 2, 0x61, 0x2E],
            message: "appends to something that is no list"),
    ])
    func hostilePickles(_ pickle: Pickle) {
        let error = #expect(throws: SEDDError.self) { _ = try PickleReader.read(pickle.bytes, path: "x.pth") }
        #expect(error?.kind == .invalidData)
        #expect(error?.description.contains(pickle.message) == true, "\(error?.description ?? "none")")
        #expect(error?.description.hasPrefix("x.pth: at byte") == true)
    }

    @Test func namesAndShapesThatDiffer() throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        try Conversion.write(network, to: folder.url)
        let file = folder.url.appending(path: "model.safetensors")
        var tensors = network.weights.named
        tensors[0].tensor = try Tensor.zeros([3, 3])
        for place in 1...6 { tensors[place].name += ".other" }
        try Safetensors.write(tensors, to: file)
        let error = #expect(throws: SEDDError.self) { _ = try ModelFolder.load(folder.url) }
        #expect(error?.kind == .invalidData)
        let text = error?.description ?? ""
        #expect(text.contains("vocab_embed.embedding: expected [12, 32], found [3, 3]"))
        #expect(text.contains("sigma_map.mlp.0.weight: expected [16, 256], found none"))
        #expect(text.contains("and 8 more"), "\(text)")
    }
}
