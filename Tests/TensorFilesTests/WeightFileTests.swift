import Files
import Foundation
import Testing

@testable import TensorFiles

/// One opener for every weight file: by content, with wrapper prefixes removed and shards combined.
@Suite struct WeightFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let refused: [(name: String, file: String, bytes: [UInt8], words: [String])] = [
        (
            "a Git LFS pointer", "model.safetensors",
            Array("version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 578452\n".utf8),
            ["Git LFS pointer", "578452 bytes", "git lfs pull"]
        ),
        (
            "the same, .bin", "pytorch_model.bin", Array("version https://git-lfs.github.com/spec/v1\nsize 9\n".utf8),
            ["Git LFS pointer", "9 bytes"]
        ),
        (
            "a pointer without a size", "m.bin", Array("version https://git-lfs.github.com/spec/v1\n".utf8),
            ["Git LFS pointer"]
        ),
        ("a web page", "model.safetensors", Array("\n <!DOCTYPE html>\n<html>".utf8), ["a web page", "/resolve/"]),
        ("another", "pytorch_model.bin", Array("<HTML><body>404</body>".utf8), ["a web page"]),
        ("an error of a store", "w.bin", Array("<?xml version=\"1.0\"?><Error/>".utf8), ["a web page"]),
        ("a JSON answer", "model.safetensors", Array("{\"error\":\"gated\"}".utf8), ["JSON", "weight_map"]),
        ("GGUF", "model.bin", Array("GGUF".utf8) + [3, 0, 0, 0], ["GGUF", "llama.cpp"]),
        ("gzip", "model.bin", [0x1F, 0x8B, 8, 0], ["gzip", "unpack"]),
        ("HDF5", "model.h5", [0x89] + Array("HDF\r\n".utf8), ["HDF5"]),
        ("nothing", "model.bin", [], ["empty"]),
        ("a text", "model.bin", Array("hello".utf8), ["not a known kind of weight file"]),
        ("a text called .safetensors", "model.safetensors", Array("hello, this is a text".utf8), ["claims a header"]),
        ("a bare pickle", "model.bin", [0x80, 2, 0x7D, 0x2E], ["torch.save"]),
    ]

    @Test(arguments: refused.indices)
    func isRefused(index: Int) throws {
        let (name, file, bytes, words) = Self.refused[index]
        let url = try folder.file(file, bytes)
        expectError(.invalidData, [url.path] + words, name) { _ = try WeightFile(url) }
    }

    @Test(arguments: ["model.safetensors", "pytorch_model.bin", "model.pth", "x.ckpt", "x.pt", "x"])
    func namesDoNotMatter(name: String) throws {
        let url = try folder.file(name, safetensors([("w", [2], [1, 2])]))
        #expect(try floats(WeightFile(url).bytes("w")) == [1, 2])
    }

    @Test(arguments: [
        "", "_orig_mod.", "module.", "backbone.", "module._orig_mod.", "_orig_mod.module.",
        "backbone.module._orig_mod.",
        "module.module.", "_orig_mod._orig_mod.backbone.",
    ])
    func wrappersComeOff(prefix: String) throws {
        #expect(TensorNames.stripped(prefix + "blocks.0.norm1.weight") == "blocks.0.norm1.weight")
        #expect(TensorNames.stripped(prefix + "blocks.0._orig_mod.norm1.weight") == "blocks.0.norm1.weight")
        #expect(TensorNames.stripped(prefix + "weight") == "weight")
        let url = try folder.file("m.safetensors", safetensors([(prefix + "a.w", [1], [4]), (prefix + "b", [1], [5])]))
        let file = try WeightFile(url)
        #expect(file.entries.keys.sorted() == ["a.w", "b"])
        #expect(try floats(file.bytes("a.w")) == [4])
    }

    @Test func namesThatAreNotWrappers() throws {
        for name in ["module", "backbone", "modules.0", "blocks.0.module.weight", "x.backbone.y", "", ".", "a..b"] {
            #expect(TensorNames.stripped(name) == name)
        }
        let url = try folder.file("m.safetensors", safetensors([("module.w", [1], [1]), ("w", [1], [2])]))
        expectError(.invalidData, ["'module.w'", "'w'"], "two of one name") { _ = try WeightFile(url) }
    }

    private func index(_ map: [String: String], _ name: String = "model.safetensors.index.json") throws -> URL {
        let pairs = map.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
        return try folder.file(name, Array("{\"metadata\":{\"total_size\":8},\"weight_map\":{\(pairs)}}".utf8))
    }

    @Test func shards() throws {
        let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
        try folder.file(names[0], safetensors([("module.a", [1], [1])]))
        let url = try index(["module.a": names[0], "module.b": names[1]])
        expectError(.missingInput, [names[1], "one of the 2 shards"], "a missing shard") { _ = try WeightFile(url) }
        try folder.file(names[1], safetensors([("module.c", [1], [3])]))
        expectError(.invalidData, [names[1], "'module.b'"], "a shard without its tensor") { _ = try WeightFile(url) }
        try folder.file(names[1], safetensors([("module.b", [1], [2])]))
        let file = try WeightFile(url)
        #expect(try floats(file.bytes("a")) == [1])
        #expect(try floats(file.bytes("b")) == [2])
        // Shards of either kind, and of both.
        let golden = PyTorchFileTests.golden.appendingPathComponent("arguments.pt")
        try folder.file("pytorch_model-00002-of-00002.bin", [UInt8](Data(contentsOf: golden)))
        let mixed = try WeightFile(
            index(
                ["module.a": names[0], "_orig_mod.w": "pytorch_model-00002-of-00002.bin"],
                "pytorch_model.bin.index.json"))
        #expect(mixed.entries.keys.sorted() == ["a", "b", "w"])
        try folder.file(names[1], Array("version https://git-lfs.github.com/spec/v1\nsize 7\n".utf8))
        expectError(.invalidData, [names[1], "Git LFS pointer"], "a pointer for a shard") { _ = try WeightFile(url) }
    }

    @Test func hostileIndices() throws {
        for (name, shard) in [
            ("above", "../x.safetensors"), ("absolute", "/etc/passwd"), ("itself", ""), ("dots", "a/./b"),
        ] {
            let url = try index(["w": shard])
            expectError(.invalidData, [url.path, "same folder"], name) { _ = try WeightFile(url) }
        }
        let own = try index(["w": "model.safetensors.index.json"])
        expectError(.invalidData, [own.path], "an index as its own shard") { _ = try WeightFile(own) }
        let none = try index([:])
        expectError(.invalidData, [none.path, "names 0 files"], "no shards") { _ = try WeightFile(none) }
        let deep = try folder.file("x.index.json", [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20))
        expectError(.invalidData, [deep.path], "brackets") { _ = try WeightFile(deep) }
    }

    @Test func equalTensors() throws {
        let url = try folder.file(
            "m.safetensors",
            safetensors([("a", [2], [1, 2]), ("b", [2], [1, 2]), ("c", [2], [1, 3]), ("d", [2, 1], [1, 2])]))
        let file = try WeightFile(url)
        #expect(try file.areEqual("a", "b"))
        #expect(try !file.areEqual("a", "c"))
        #expect(try !file.areEqual("a", "d"))
        let golden = try WeightFile(PyTorchFileTests.golden.appendingPathComponent("zip.bin"))
        #expect(try golden.areEqual("plain", "plain"))
        #expect(try !golden.areEqual("plain", "part"))
    }
}
