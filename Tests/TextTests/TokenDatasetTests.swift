import Foundation
import Testing

@testable import Text

@Suite struct TokenDatasetTests {
    @Test("Several sources are one stream, the last part held out")
    func windows() throws {
        let folder = try TemporaryFolder()
        let cache = TokenCache(folder: folder.url.appendingPathComponent("cache"))
        let sources = [
            try folder.file("one.txt", "abc"), try folder.file("two.bin", [100, 0, 101, 0]),
            try folder.file("three.txt", "fghij"),
        ]
        let data = try TokenDataset(sources: sources, tokenizer: ByteTokenizer(), cache: cache, heldOutFraction: 0.37)
        #expect((data.all.count, data.training.count, data.heldOut.count) == (10, 7, 3))
        for (stream, text) in [(data.all, "abcdefghij"), (data.training, "abcdefg"), (data.heldOut, "hij")] {
            let bytes = text.utf8.map { Int64($0) }
            for length in 1...bytes.count {
                for offset in 0...(bytes.count - length) {
                    #expect(try stream.window(at: offset, length: length) == Array(bytes[offset..<(offset + length)]))
                }
            }
        }
    }

    @Test func messages() throws {
        let folder = try TemporaryFolder()
        let cache = TokenCache(folder: folder.url.appendingPathComponent("cache"))
        let source = try folder.file("text.txt", "abc")
        let byte = ByteTokenizer()
        let data = try TokenDataset(sources: [source], tokenizer: byte, cache: cache, heldOutFraction: 0.34)
        let advice = "give more text, hold out another fraction, or choose a shorter block"
        let table: [(() throws -> Void, String)] = [
            (
                { try data.training.requireBlock(of: 8) },
                "invalidData: \(source.path): 2 tokens are too few for one block of 8; \(advice)"
            ),
            (
                { _ = try data.heldOut.window(at: 0, length: 2) },
                "invalidData: \(source.path): 1 token is too few for one block of 2; \(advice)"
            ),
            (
                { _ = try data.all.window(at: 2, length: 2) },
                "usage: a window of 2 tokens at 2, in a stream of 3, into room for 2; choose an offset of at most 1"
            ),
            (
                { _ = try data.all.window(at: .max, length: 2) },
                "usage: a window of 2 tokens at 9223372036854775807, in a stream of 3, into room for 2; "
                    + "choose an offset of at most 1"
            ),
            (
                { _ = try data.all.window(at: 0, length: -1) },
                "usage: the block length is -1; choose a length of at least 1"
            ),
            (
                { _ = try TokenDataset(sources: [], tokenizer: byte, cache: cache) },
                "usage: no data; name one or more text or .bin files"
            ),
            (
                { _ = try TokenDataset(sources: [source], tokenizer: byte, cache: cache, heldOutFraction: 1) },
                "usage: the held-out fraction is 1.0; choose one from 0 to below 1"
            ),
            (
                { _ = try TokenDataset(sources: [source], tokenizer: byte, cache: TokenCache(folder: source)) },
                "cannotWrite: \(source.path): cannot create the folder, because \(source.path) is a file; set XDG_CACHE_HOME to a folder that may be written"
            ),
        ]
        for (body, expected) in table { #expect(message(body) == expected) }
    }

    @Test("Tokens are made once, and again when text, tokenizer or cache changes")
    func caching() throws {
        let folder = try TemporaryFolder()
        let cache = TokenCache(folder: folder.url.appendingPathComponent("cache"))
        let source = try folder.file("my text.txt", "abcabc")
        var builds = 0
        func tokens(_ tokenizer: any Tokenizer) throws -> [Int32] {
            let file = try cache.tokens(of: source, tokenizer: tokenizer, progress: { _ in builds += 1 })
            return try file.ids(0..<file.count)
        }
        func cached() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: cache.folder.path)) ?? [] }
        let letters = try CharacterTokenizer(alphabetOf: "abc")
        #expect(try tokens(letters) == [0, 1, 2, 0, 1, 2])
        #expect(try tokens(letters) == [0, 1, 2, 0, 1, 2])
        #expect(builds == 1)
        #expect(cached().allSatisfy { $0.hasPrefix("my_text.txt-") && $0.hasSuffix("-\(letters.fingerprint).tokens") })
        // Another tokenizer.
        #expect(try tokens(ByteTokenizer()).first == 97)
        #expect(builds == 2)
        // A cached file that was cut short.
        let file = try #require(cached().first { $0.contains(letters.fingerprint) })
        let damaged = cache.folder.appendingPathComponent(file)
        try Data(Data(contentsOf: damaged).dropLast()).write(to: damaged)
        #expect(try tokens(letters) == [0, 1, 2, 0, 1, 2])
        #expect(builds == 3)
        // The same size, another time of change.
        _ = try folder.file("my text.txt", "cbacba")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: source.path)
        #expect(try tokens(letters) == [2, 1, 0, 2, 1, 0])
        #expect(builds == 4)
        // The same size and date, as copies that keep dates have them.
        _ = try folder.file("my text.txt", "bbbaaa")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: source.path)
        #expect(try tokens(letters) == [1, 1, 1, 0, 0, 0])
        #expect(builds == 5)
        #expect(cached().count == 4)
    }

    @Test(
        "The default cache follows the XDG specification",
        arguments: [
            (["XDG_CACHE_HOME": "/x"], "/x/sedd/tokens"), (["XDG_CACHE_HOME": "relative"], "/.cache/sedd/tokens"),
            ([:], "/.cache/sedd/tokens"), (["HOME": "/h"], "/h/.cache/sedd/tokens"),
            (["HOME": ""], "/.cache/sedd/tokens"),
        ])
    func defaultFolder(environment: [String: String], expected: String) {
        #if !os(macOS)
            #expect(TokenCache.defaultFolder(environment: environment).path.hasSuffix(expected))
        #endif
    }
}
