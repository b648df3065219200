import Files
import Foundation
import Testing

@testable import TensorFiles

/// Files written by PyTorch itself; `Golden/make.py` describes their contents.
@Suite struct PyTorchFileTests {
    static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")

    private static func open(_ name: String) throws -> WeightFile {
        try WeightFile(golden.appendingPathComponent(name))
    }

    private static let base: [Float] = (0..<12).map { Float($0) / 8 }

    @Test(arguments: ["zip.bin", "legacy.bin", "protocol4.bin", "nested.ckpt", "named.pt", "objects.ckpt"])
    func tensorsOfEveryContainer(name: String) throws {
        let file = try Self.open(name)
        #expect(
            file.entries.mapValues(\.shape) == [
                "plain": [3, 4], "transposed": [4, 3], "part": [2, 2], "half": [2], "brain": [2], "double": [1],
                "scalar": [], "parameter": [2], "numbers": [2], "repeated": [4],
            ])
        #expect(try floats(file.bytes("plain")) == Self.base)
        let transposed = (0..<4).flatMap { column in (0..<3).map { Self.base[4 * $0 + column] } }
        #expect(try floats(file.bytes("transposed")) == transposed)
        #expect(try floats(file.bytes("part")) == [6, 7, 10, 11].map { Self.base[$0] })
        #expect(try file.bytes("half") == [0x00, 0x3E, 0x00, 0xC0])
        #expect(try file.bytes("brain") == [0xC0, 0x3F, 0x00, 0xC0])
        #expect(try file.bytes("double") == (0..<8).map { UInt8(truncatingIfNeeded: (0.1).bitPattern >> (8 * $0)) })
        #expect(try floats(file.bytes("scalar")) == [7.25])
        #expect(try floats(file.bytes("parameter")) == [3, 4])
        #expect(try file.bytes("numbers") == [UInt8](repeating: 255, count: 8) + [2, 0, 0, 0, 0, 0, 0, 0])
        #expect(file.entries["numbers"]?.element == .int64)
        // One element repeated four times: not in any network, and a way for a small file to expand.
        expectError(.invalidData, ["repeats", "contiguous"], "an expanded tensor") { _ = try file.bytes("repeated") }
    }

    @Test func whatIsSaidOfThem() throws {
        #expect(try Self.open("zip.bin").notes.isEmpty)
        let named = try Self.open("named.pt").notes.joined(separator: "\n")
        #expect(named.contains("took 'model'") && named.contains("teacher"), "\(named)")
        let objects = try Self.open("objects.ckpt").notes.joined(separator: "\n")
        #expect(objects.contains("argparse.Namespace") && objects.contains("not executed"), "\(objects)")
        expectError(.invalidData, ["student", "teacher", "torch.save"], "two tables") {
            _ = try Self.open("ambiguous.pt")
        }
        expectError(.invalidData, ["torch.nn.modules.linear.Linear", "nothing is executed", "state_dict"], "a module") {
            _ = try Self.open("module.pt")
        }
        let arguments = try Self.open("arguments.pt")
        #expect(arguments.entries.keys.sorted() == ["b", "w"], "_orig_mod. is taken off")
        #expect(
            arguments.pyTorch?.modelArguments == ["n_layer": .integer(1), "bias": .flag(false), "dropout": .number(0)])
    }

    // Truncated anywhere, or with a changed byte: refused, or read with its sizes; nothing else happens.
    @Test(arguments: ["zip.bin", "legacy.bin", "nested.ckpt"])
    func damagedFiles(name: String) throws {
        let folder = try TemporaryFolder()
        let whole = [UInt8](try Data(contentsOf: Self.golden.appendingPathComponent(name)))
        func read(_ bytes: [UInt8], _ what: String) throws {
            let url = try folder.file("damaged.bin", bytes)
            do {
                let file = try WeightFile(url)
                for (tensor, entry) in file.entries where tensor != "repeated" {
                    let count = try #require(TensorEntry.count(entry.shape))
                    #expect(try file.bytes(tensor).count == count * entry.element.bits / 8, "\(what): \(tensor)")
                }
            } catch let error as FileError {
                #expect(error.kind == .invalidData, "\(what): \(error)")
            }
        }
        for length in stride(from: 0, to: whole.count, by: 7) { try read(Array(whole[..<length]), "cut to \(length)") }
        var random = Random(state: 11)
        for round in 0..<2000 {
            var changed = whole
            changed[Int.random(in: 0..<whole.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            try read(changed, "round \(round)")
        }
    }

    @Test func movingAverageNeedsTheRightCount() throws {
        let file = try Self.open("zip.bin")
        #expect(file.pyTorch?.hasAverage == false)
        expectError(.invalidData, ["no moving average", "--weights raw"], "none") { _ = try file.average(names: ["a"]) }
    }
}
