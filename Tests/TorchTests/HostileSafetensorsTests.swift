import Files
import Foundation
import Testing
import Torch

/// Files that are not what they claim: each is refused with one line that names it, and nothing is read past its end.
@Suite struct HostileSafetensorsTests {
    struct Hostile: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        /// What the message says beside the file's name.
        let words: [String]
        var testDescription: String { name }

        init(_ name: String, bytes: [UInt8], _ words: [String]) {
            self.name = name
            self.bytes = bytes
            self.words = words
        }

        /// A header, its true length before it, and `payload` bytes behind it.
        init(_ name: String, _ header: String, payload: Int = 8, _ words: [String]) {
            let length = UInt64(header.utf8.count)
            let prefix = (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(8 * $0)) }
            self.init(name, bytes: prefix + Array(header.utf8) + [UInt8](repeating: 0, count: payload), words)
        }

        /// One tensor `w`.
        init(_ name: String, dtype: String = "F32", shape: String, offsets: String, payload: Int = 8, _ words: [String])
        {
            self.init(
                name, #"{"w":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#, payload: payload,
                words)
        }
    }

    private static func two(_ first: String, _ second: String) -> String {
        #"{"a":{"dtype":"U8","shape":[4],"data_offsets":\#(first)},"b":{"dtype":"U8","shape":[4],"data_offsets":\#(second)}}"#
    }

    static let table: [Hostile] = [
        Hostile("empty", bytes: [], ["0 bytes"]),
        Hostile("seven bytes", bytes: [1, 2, 3, 4, 5, 6, 7], ["7 bytes"]),
        Hostile("header longer than the file", bytes: [200, 0, 0, 0, 0, 0, 0, 0, 123, 125], ["200", "2"]),
        Hostile("header of 2^63", bytes: [0, 0, 0, 0, 0, 0, 0, 0x80, 123, 125], ["9223372036854775808"]),
        Hostile("header of 2^64 - 1", bytes: [UInt8](repeating: 255, count: 64), ["18446744073709551615"]),
        Hostile("header of nothing", bytes: [UInt8](repeating: 0, count: 8), ["no JSON object"]),
        Hostile("no JSON", "hello world", ["no JSON object"]),
        Hostile("half of a JSON object", "{\"w\":", ["no JSON object"]),
        Hostile("invalid UTF-8", bytes: [4, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0xFF, 0xFE, 0x7D], ["no JSON object"]),
        Hostile("array", "[1,2,3]", ["no JSON object"]),
        Hostile("number", "7", ["no JSON object"]),
        Hostile("deep arrays", String(repeating: "[", count: 200_000), ["no JSON object"]),
        Hostile(
            "deep objects", String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_000),
            ["no JSON object"]),
        Hostile("metadata of numbers", #"{"__metadata__":{"step":1}}"#, payload: 0, ["__metadata__"]),
        Hostile("tensor that is a number", #"{"w":1}"#, ["'w'", "lacks"]),
        Hostile("no dtype", #"{"w":{"shape":[2],"data_offsets":[0,8]}}"#, ["'w'", "dtype"]),
        Hostile("no offsets", #"{"w":{"dtype":"F32","shape":[2]}}"#, ["'w'", "data_offsets"]),
        Hostile("unknown dtype", dtype: "F8_E4M3", shape: "[8]", offsets: "[0,8]", ["'w'", "F8_E4M3", "BF16"]),
        Hostile("negative shape", shape: "[-2]", offsets: "[0,8]", ["'w'", "[-2]"]),
        Hostile("two negative sizes", shape: "[-1,-2]", offsets: "[0,8]", ["'w'", "[-1, -2]"]),
        Hostile("fractional shape", shape: "[1.5]", offsets: "[0,8]", ["'w'"]),
        Hostile("shape of texts", shape: #"["2"]"#, offsets: "[0,8]", ["'w'"]),
        Hostile("overflowing shape", shape: "[4294967296,4294967296]", offsets: "[0,8]", ["'w'", "impossible shape"]),
        Hostile("overflow to what fits", shape: "[2305843009213693954,2,2]", offsets: "[0,8]", ["'w'", "impossible"]),
        Hostile("one offset", shape: "[2]", offsets: "[0]", ["'w'", "data_offsets"]),
        Hostile("three offsets", shape: "[2]", offsets: "[0,4,8]", ["'w'", "data_offsets"]),
        Hostile("offsets outside", shape: "[2]", offsets: "[8,16]", ["'w'", "8..<16"]),
        Hostile("offsets far outside", shape: "[2]", offsets: "[9223372036854775799,9223372036854775807]", ["'w'"]),
        Hostile("negative offset", shape: "[2]", offsets: "[-8,0]", ["'w'", "-8"]),
        Hostile("reversed offsets", shape: "[2]", offsets: "[8,0]", ["'w'"]),
        Hostile("fewer bytes than the shape", shape: "[4]", offsets: "[0,8]", ["'w'", "16 bytes", "8 are given"]),
        Hostile("more bytes than the shape", shape: "[1]", offsets: "[0,8]", ["'w'", "4 bytes", "8 are given"]),
        Hostile("overlap", two("[0,4]", "[2,6]"), payload: 6, ["'b'", "overlaps"]),
        Hostile("the same bytes twice", two("[0,4]", "[0,4]"), payload: 4, ["'b'", "overlaps"]),
        Hostile("hole", two("[0,4]", "[6,10]"), payload: 10, ["'b'", "hole"]),
        Hostile("hole at the start", shape: "[1]", offsets: "[4,8]", ["'w'", "hole"]),
        Hostile("trailing bytes", shape: "[2]", offsets: "[0,8]", payload: 12, ["8 bytes", "12"]),
        Hostile("bytes that nothing describes", "{}", payload: 3, ["0 bytes", "3"]),
    ]

    @Test(arguments: table)
    func isRefused(hostile: Hostile) throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("hostile.safetensors", hostile.bytes)
        let line = expectError(.invalidFile, [file.path] + hostile.words, hostile.name) {
            _ = try Safetensors(contentsOf: file)
        }
        #expect((line ?? "").utf8.count < 1000, "a line, not a page")
    }

    @Test func anAbsentFileIsMissing() throws {
        let folder = try TemporaryFolder()
        let absent = folder.url.appendingPathComponent("absent.safetensors")
        expectError(.missingFile, [absent.path, "no such file"], "absent") { _ = try Safetensors(contentsOf: absent) }
        expectError(.missingFile, [folder.url.path], "a folder") { _ = try Safetensors(contentsOf: folder.url) }
    }

    // A whole file cut short or with one byte changed is refused or read; nothing else happens.
    @Test func cutAndChangedFiles() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("whole.safetensors")
        try Safetensors.write([("a", Tensor([1.0, 2])), ("b", Tensor([3]))], metadata: ["k": "v"], to: file)
        let whole = [UInt8](try Data(contentsOf: file))
        for length in whole.indices {
            let cut = try folder.file("cut.safetensors", Array(whole[..<length]))
            expectError(.invalidFile, [cut.path], "cut to \(length) bytes") { _ = try Safetensors(contentsOf: cut) }
        }
        var random = Random(state: 4)
        for round in 0..<500 {
            var changed = whole
            changed[Int.random(in: 0..<whole.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            let url = try folder.file("changed.safetensors", changed)
            do {
                let read = try Safetensors(contentsOf: url)
                for name in read.names { _ = try read.tensor(name).bytes() }
            } catch {
                #expect(error.kind == .invalidFile, "round \(round): \(error)")
            }
        }
    }
}
