import Files
import Foundation
import Testing

@testable import TensorFiles

/// Pickles are programs; nothing in them is executed, and memory use is bounded by their size.
@Suite struct PickleTests {
    struct Pickle: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let message: String
        var testDescription: String { name }
    }

    /// What `torch.save` writes for a tensor of float32, its shape and strides as eight-byte numbers.
    static func tensor(shape: [Int], strides: [Int], count: Int, offset: Int = 0) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] {
            [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        func text(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
        func tuple(_ values: [Int]) -> [UInt8] { [0x28] + values.flatMap(number) + [0x74] }
        return Array("ctorch._utils\n_rebuild_tensor_v2\n((".utf8) + text("storage")
            + Array("ctorch\nFloatStorage\n".utf8) + text("0") + text("cpu") + number(count) + [0x74, 0x51]
            + number(offset) + tuple(shape) + tuple(strides) + [0x89, 0x7D, 0x74, 0x52]
    }

    static func table(_ tensor: [UInt8]) -> [UInt8] { [0x80, 2, 0x7D, 0x8C, 1, 0x77] + tensor + [0x73, 0x2E] }

    static let refused: [Pickle] = [
        Pickle(
            name: "a command",
            bytes: [0x80, 2] + Array("cposix\nsystem\nX".utf8) + [2, 0, 0, 0] + Array("ls".utf8) + [0x85, 0x52, 0x2E],
            message: "references posix.system"),
        Pickle(name: "eval", bytes: [0x80, 2] + Array("cbuiltins\neval\n.".utf8), message: "references builtins.eval"),
        Pickle(name: "a loader", bytes: [0x80, 2] + Array("ctorch\nload\n.".utf8), message: "references torch.load"),
        Pickle(
            name: "stack global",
            bytes: [0x80, 4, 0x8C, 2] + Array("os".utf8) + [0x8C, 6] + Array("system".utf8) + [0x93, 0x2E],
            message: "references os.system"),
        Pickle(name: "empty", bytes: [], message: "is truncated"),
        Pickle(name: "nothing on the stack", bytes: [0x2E], message: "takes from an empty stack"),
        Pickle(name: "no mark", bytes: [0x4E, 0x74, 0x2E], message: "has no mark"),
        Pickle(name: "a text past the end", bytes: [0x58, 255, 255, 255, 127, 65], message: "is truncated"),
        Pickle(
            name: "a text of 2^64 - 1", bytes: [0x8D] + [UInt8](repeating: 255, count: 8), message: "is truncated"
        ),
        Pickle(name: "an unknown memo", bytes: [0x68, 9, 0x2E], message: "recalls entry 9"),
        Pickle(
            name: "an instance", bytes: Array("(icollections\nOrderedDict\n.".utf8), message: "uses opcode 0x69"),
        Pickle(name: "applies a number", bytes: [0x4B, 1, 0x29, 0x52, 0x2E], message: "calls something"),
        Pickle(name: "a long number past the end", bytes: [0x8A, 200, 1, 0x2E], message: "is truncated"),
        Pickle(name: "appends to a number", bytes: [0x4B, 1, 0x4B, 2, 0x61, 0x2E], message: "appends to something"),
        Pickle(
            name: "a shape beyond an Int", bytes: table(tensor(shape: [1 << 62, 4], strides: [0, 0], count: 1)),
            message: "impossible shape"),
        Pickle(
            name: "strides beyond an Int", bytes: table(tensor(shape: [3, 3], strides: [.max, 1], count: 9)),
            message: "impossible shape"),
        Pickle(
            name: "an offset beyond an Int", bytes: table(tensor(shape: [2], strides: [1], count: 9, offset: .max)),
            message: "impossible shape"),
        Pickle(
            name: "outside its storage", bytes: table(tensor(shape: [3, 3], strides: [3, 1], count: 8)),
            message: "reaches element 8"),
        Pickle(
            name: "a negative size", bytes: table(tensor(shape: [-1], strides: [1], count: 8)),
            message: "not an integer"),
        Pickle(
            name: "a negative count", bytes: table(tensor(shape: [1], strides: [1], count: -8)), message: "unknown way"),
        Pickle(
            name: "forty dimensions",
            bytes: table(
                tensor(shape: [Int](repeating: 1, count: 40), strides: [Int](repeating: 1, count: 40), count: 8)),
            message: "40 sizes"),
    ]

    @Test(arguments: refused)
    func isRefused(_ pickle: Pickle) {
        let line = expectError(.invalidData, ["x.pth: at byte", pickle.message], pickle.name) {
            _ = try PickleReader.read(pickle.bytes, path: "x.pth")
        }
        #expect(line?.hasPrefix("x.pth: at byte") == true)
    }

    /// A memo entry for every byte, or a stride that is never taken.
    @Test func outOfProportion() throws {
        let bytes = [0x80, 4, 0x4E] + [UInt8](repeating: 0x94, count: 100_000) + [0x2E]
        let error = #expect(throws: FileError.self) { try PickleReader.read(bytes, path: "p") }
        #expect(error?.description.contains("builds more than") == true, "\(String(describing: error))")
        let tensor = PickledTensor(
            storage: PickledStorage(type: "FloatStorage", key: "0", count: 4), offset: 0, shape: [2, 1, 2],
            strides: [1, .max, 2])
        #expect(tensor.gathered([10, 11, 12, 13], width: 1, count: 4) == [10, 12, 11, 13])
    }

    // A list of n items, copied repeatedly through the memo: four bytes per copy.
    @Test(arguments: ["lists", "shapes"])
    func memosDoNotGrow(what: String) {
        let items = 10_000
        var bytes: [UInt8] = [0x80, 2]
        if what == "lists" {
            bytes +=
                [0x5D, 0x28] + [UInt8](repeating: 0x29, count: items).flatMap { [$0, $0, 0x86] } + [
                    0x65, 0x71, 0, 0x30,
                ]
            bytes += Array("ccollections\nOrderedDict\n".utf8) + [0x71, 1, 0x30]
            for _ in 0..<items { bytes += [0x68, 1, 0x68, 0, 0x85, 0x52, 0x30] }
        } else {
            bytes += [0x28] + [UInt8](repeating: 0x29, count: items) + [0x74, 0x71, 0, 0x30, 0x5D]
            // Each copy of the tuple is one value; extending a list by what is on the stack copies no contents.
            for _ in 0..<items { bytes += [0x68, 0, 0x61] }
        }
        bytes += [0x4E, 0x2E]
        if what == "lists" {
            expectError(.invalidData, ["builds more than", "values"], what) {
                _ = try PickleReader.read(bytes, path: "x.pth")
            }
        } else {
            #expect(throws: Never.self) { _ = try PickleReader.read(bytes, path: "x.pth") }
        }
    }

    @Test func deepAndCircularValuesAreHarmless() throws {
        let deep = [UInt8](repeating: 0x29, count: 1) + [UInt8](repeating: 0x85, count: 1_000_000) + [0x2E]
        _ = try PickleReader.read(deep, path: "x.pth")
        let circular: [UInt8] = [0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E]
        _ = try PickleReader.read(circular, path: "x.pth")
    }

    // The element count of a storage times its width overflows Int.
    @Test func countsBeyondAnInt() throws {
        let folder = try TemporaryFolder()
        let pickle = Self.table(Self.tensor(shape: [1], strides: [1], count: .max))
        var writer = try ZipWriter(folder.url.appendingPathComponent("x.pth"), folder: "x")
        try writer.add("data.pkl", pickle)
        try writer.add("data/0", [0, 0, 0, 0])
        try writer.finish()
        let file = try WeightFile(folder.url.appendingPathComponent("x.pth"))
        expectError(.invalidData, ["data/0", "4 bytes"], "a count") { _ = try file.bytes("w") }
    }
}
