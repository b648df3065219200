import Files
import Foundation
import TensorFiles
import Testing

/// Malformed files: each is refused with one line that names it, and nothing is read past its end.
@Suite struct HostileSafetensorsTests {
    struct Hostile: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        /// The message after the file's name.
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
        Hostile("header of nothing", bytes: [UInt8](repeating: 0, count: 8), ["not a JSON object"]),
        Hostile("no JSON", "hello world", ["not a JSON object"]),
        Hostile("half of a JSON object", "{\"w\":", ["not a JSON object"]),
        Hostile("invalid UTF-8", bytes: [4, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0xFF, 0xFE, 0x7D], ["not a JSON object"]),
        Hostile("array", "[1,2,3]", ["not a JSON object"]),
        Hostile("number", "7", ["not a JSON object"]),
        Hostile("deep arrays", String(repeating: "[", count: 200_000), ["not a JSON object"]),
        Hostile(
            "deep objects", String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_000),
            ["not a JSON object"]),
        Hostile("metadata of numbers", #"{"__metadata__":{"step":1}}"#, payload: 0, ["__metadata__"]),
        Hostile("metadata of nulls", #"{"__metadata__":{"step":null}}"#, payload: 0, ["__metadata__"]),
        Hostile("metadata that is a list", #"{"__metadata__":[]}"#, payload: 0, ["__metadata__"]),
        Hostile("something after the header", #"{"w":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}} x"#, ["JSON"]),
        Hostile("half of a byte", dtype: "F4", shape: "[15]", offsets: "[0,8]", ["'w'", "impossible"]),
        Hostile("tensor that is a number", #"{"w":1}"#, ["'w'", "lacks"]),
        Hostile("no dtype", #"{"w":{"shape":[2],"data_offsets":[0,8]}}"#, ["'w'", "dtype"]),
        Hostile("no offsets", #"{"w":{"dtype":"F32","shape":[2]}}"#, ["'w'", "data_offsets"]),
        Hostile("unknown dtype", dtype: "F7", shape: "[8]", offsets: "[0,8]", ["'w'", "F7", "BF16"]),
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
        let line = expectError(.invalidData, [file.path] + hostile.words, hostile.name) {
            _ = try SafetensorsFile(file)
        }
        #expect((line ?? "").utf8.count < 1000, "a line, not a page")
    }

    @Test func anAbsentFileIsMissing() throws {
        let folder = try TemporaryFolder()
        let absent = folder.url.appendingPathComponent("absent.safetensors")
        expectError(.missingInput, [absent.path, "no such file"], "absent") { _ = try SafetensorsFile(absent) }
        expectError(.missingInput, [folder.url.path], "a folder") { _ = try SafetensorsFile(folder.url) }
    }

    // A truncated file, or one with a changed byte, is refused or read; nothing else happens.
    @Test func cutAndChangedFiles() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appendingPathComponent("whole.safetensors")
        let made = safetensors([("a", [2], [1, 2]), ("b", [1], [3])], metadata: #"{"k":"v"}"#)
        try folder.file("whole.safetensors", made)
        let whole = [UInt8](try Data(contentsOf: file))
        for length in whole.indices {
            let cut = try folder.file("cut.safetensors", Array(whole[..<length]))
            expectError(.invalidData, [cut.path], "cut to \(length) bytes") { _ = try SafetensorsFile(cut) }
        }
        var random = Random(state: 4)
        for round in 0..<500 {
            var changed = whole
            changed[Int.random(in: 0..<whole.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            let url = try folder.file("changed.safetensors", changed)
            do {
                let read = try SafetensorsFile(url)
                for name in read.entries.keys { _ = try read.bytes(name) }
            } catch {
                #expect(error.kind == .invalidData, "round \(round): \(error)")
            }
        }
    }

    // As accepted by `safetensors` 0.8.
    @Test(arguments: [
        ("null metadata", #"{"__metadata__":null,"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#),
        ("further keys", #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":{"deep":[1,2]}}}"#),
        (
            "metadata twice in a key",
            #"{"__metadata__":{"a":"1","a":"2"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        ),
        (
            "a tensor twice",
            #"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        ),
        ("spaces around", #"  {"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   "#),
        ("unsigned numbers", #"{"w":{"dtype":"U32","shape":[2],"data_offsets":[0,8]}}"#),
        ("complex numbers", #"{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#),
        ("eight bits", #"{"w":{"dtype":"F8_E4M3","shape":[2,4],"data_offsets":[0,8]}}"#),
        ("four bits", #"{"w":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}}"#),
        (
            "an empty tensor",
            #"{"e":{"dtype":"F32","shape":[0,5],"data_offsets":[8,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        ),
    ])
    func isRead(name: String, header: String) throws {
        let folder = try TemporaryFolder()
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        let payload: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        let read = try SafetensorsFile(folder.file("w.safetensors", length + Array(header.utf8) + payload))
        #expect(try read.bytes("w") == payload, "\(name)")
    }

    // Elements are read on demand: truncation in the meantime causes an error, not a signal.
    @Test func cutWhileOpen() throws {
        let folder = try TemporaryFolder()
        let file = try folder.file("w.safetensors", safetensors([("w", [1000], [Float](repeating: 1, count: 1000))]))
        let read = try SafetensorsFile(file)
        #expect(truncate(file.path, 200) == 0)
        expectError(.invalidData, [file.path, "truncated"], "cut while open") { _ = try read.bytes("w") }
    }
}
