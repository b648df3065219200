import Files
import Foundation
import Testing

@testable import Text

@Suite struct TokenFileBuilderTests {
    @Test("The size of the buffer does not change the ids", arguments: [64, 67, 1000, 1 << 16])
    func buffers(capacity: Int) throws {
        let folder = try TemporaryFolder()
        let text = String(repeating: "The thing's on the 12 hills.\n\n  é日本 ", count: 60)
        let source = try folder.file("text.txt", text)
        for tokenizer in [ByteTokenizer(), try CharacterTokenizer(alphabetOf: text), try Toy.tokenizer()]
            as [any Tokenizer]
        {
            let target = folder.url.appendingPathComponent("tokens")
            var seen: [TokenFileBuilder.Progress] = []
            try TokenFileBuilder(tokenizer: tokenizer).build(
                PlainDocuments(source, capacity: capacity), named: source.path, to: OutputFile(target),
                progress: { seen.append($0) })
            let file = try TokenFile(target)
            let end = tokenizer.endOfText.map { [$0] } ?? []
            #expect(try file.ids(0..<file.count) == tokenizer.encode(text) + end)
            #expect(seen.last == .init(file: source.path, bytesDone: text.utf8.count, bytesTotal: text.utf8.count))
        }
    }

    @Test("A failed build says why, and leaves nothing behind")
    func failures() throws {
        let texts = try TemporaryFolder()
        let folder = try TemporaryFolder()
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 300)
        let spaced = Array(String(repeating: "a b ", count: 50).utf8)
        let byte = ByteTokenizer()
        let toy = try Toy.tokenizer()
        let abc = try CharacterTokenizer(alphabetOf: "ab ")
        let table: [(any Tokenizer, [UInt8], String)] = [
            (byte, [], "empty file; give a text"),
            (byte, spaced + [0xE9, 0x20], "invalid UTF-8 at byte 200; convert the text to UTF-8"),
            (toy, spaced + [0xE9, 0x20], "invalid UTF-8 at byte 200; convert the text to UTF-8"),
            (toy, spaced + [0xC3], "invalid UTF-8 at byte 200; convert the text to UTF-8"),
            (toy, [UInt8](repeating: 0x80, count: 300), "invalid UTF-8 at byte 0; convert the text to UTF-8"),
            (
                abc, spaced + Array("é".utf8),
                "character U+00E9 'é' is not in the alphabet at byte 200; build the alphabet"
            ),
            (
                toy, spaced + long,
                "128 bytes without a place to cut (one unbroken run of letters, digits, symbols or "
                    + "spaces) at byte 199; break the run with line ends, or use the tokenizer 'byte'"
            ),
        ]
        for (index, (tokenizer, bytes, expected)) in table.enumerated() {
            let source = try texts.file("text-\(index).txt", bytes)
            let found = message {
                try TokenFileBuilder(tokenizer: tokenizer).build(
                    PlainDocuments(source, capacity: 128), named: source.path,
                    to: OutputFile(folder.url.appendingPathComponent("tokens")),
                    progress: { _ in })
            }
            #expect(found.hasPrefix("invalidData: \(source.path): \(expected)"), "\(found)")
        }
        let builder = TokenFileBuilder(tokenizer: byte)
        let absent = texts.url.appendingPathComponent("absent.txt")
        #expect(
            message { try builder.build(from: absent, to: folder.url.appendingPathComponent("tokens")) }
                == "missingInput: \(absent.path): no such file; check the path")
        let source = try texts.file("good.txt", "good")
        let nowhere = folder.url.appendingPathComponent("no/such/tokens")
        #expect(
            message { try builder.build(from: source, to: nowhere) }.hasPrefix(
                "cannotWrite: \(nowhere.path): cannot be created (no such file or directory)"))
        #expect(folder.contents == [])
    }

    @Test("A run that fits the buffer is one piece")
    func longRun() throws {
        let folder = try TemporaryFolder()
        let tokenizer = try Toy.tokenizer()
        let text = "a " + String(repeating: "a", count: 90) + " a"
        let target = folder.url.appendingPathComponent("tokens")
        try TokenFileBuilder(tokenizer: tokenizer).build(
            PlainDocuments(folder.file("text", text), capacity: 100), named: "text", to: OutputFile(target),
            progress: { _ in })
        #expect(try TokenFile(target).ids(0..<3) == Array(tokenizer.encode(text).prefix(3)))
    }

    // Linux has a device that is always full; a link stands in for the temporary file.
    @Test("A full disk is an error and leaves nothing behind", .enabled(if: access("/dev/full", W_OK) == 0))
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        let source = try folder.file("text.txt", "text")
        let link = folder.url.appendingPathComponent(".partial")
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "/dev/full")
        let target = folder.url.appendingPathComponent("tokens")
        let found = message {
            try TokenFileBuilder(tokenizer: ByteTokenizer()).build(
                PlainDocuments(source), named: source.path, to: OutputFile(target, through: link, flags: 0),
                progress: { _ in })
        }
        #expect(
            found.hasPrefix(
                "cannotWrite: \(target.path): cannot be written (no space left on device); check the free space"))
        #expect(folder.contents == ["text.txt"])
    }
}
