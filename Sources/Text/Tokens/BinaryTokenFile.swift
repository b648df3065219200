import Files
import Foundation

/// Token id files of this and other programs, distinguished by their first bytes.
enum BinaryTokenFile {
    /// llm.c's format: 256 32-bit numbers, the first three a magic number, a version and the number of ids, followed by
    /// the ids.
    private static let foreignHeaderSize = 1024
    /// (magic number, version, bytes per id) for ids of GPT-2 and Llama-3.
    private static let foreign: [(magic: UInt32, version: UInt32, width: Int)] = [
        (20_240_520, 1, 2), (20_240_801, 7, 4),
    ]

    /// The first bytes of other kinds of file.
    private static let others: [(beginning: [UInt8], name: String)] = [
        (Array("version https://git-lfs".utf8), "a Git LFS pointer; fetch the file itself with git lfs pull"),
        ([0x93] + Array("NUMPY".utf8), "a NumPy array; write its ids with array.astype('uint16').tofile(FILE)"),
        ([0x50, 0x4B, 0x03, 0x04], "a zip archive, such as PyTorch writes; give a file of ids"),
        ([0x1F, 0x8B], "compressed by gzip; decompress it"),
        ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd; decompress it"),
        (littleEndian(20_240_326), "a model of llm.c; give a file of its ids"),
        (littleEndian(20_240_327), "activations of llm.c; give a file of its ids"),
        (littleEndian(20_240_328), "a tokenizer of llm.c; give a file of its ids"),
        (littleEndian(20_240_522), "an evaluation of llm.c; give a file of its ids"),
    ]

    /// Opens a `.bin` file for a tokenizer: this project's format, llm.c's, or 16-bit ids without a header (nanoGPT).
    /// - Throws: `missingInput`; `invalidData` for a file of another kind or tokenizer, or a truncated one.
    static func open(_ url: URL, tokenizer: any Tokenizer) throws(TextError) -> TokenFile {
        let file = try TokenFile.opened(url)
        let beginning = try file.bytes(0..<min(file.count, 32))
        if TokenFileHeader.isPresent(in: beginning) {
            let made = try TokenFile(url)
            guard made.fingerprint == tokenizer.fingerprint, made.vocabularySize == tokenizer.vocabularySize else {
                throw TextError(
                    .invalidData,
                    "made by another tokenizer (\(made.fingerprint ?? "unknown"); expected \(tokenizer.fingerprint))",
                    source: url.path, remedy: "use the tokenizer that made it, or build it again from the text")
            }
            return made
        }
        if let other = others.first(where: { beginning.starts(with: $0.beginning) }) {
            throw TextError(.invalidData, "not token ids but \(other.name)", source: url.path)
        }
        if let known = foreign.first(where: { beginning.starts(with: littleEndian($0.magic)) }) {
            return try withForeignHeader(file, known, beginning, tokenizer)
        }
        guard file.count.isMultiple(of: 2) else {
            throw TextError(
                .invalidData, "\(file.count) bytes, an odd number, cannot be 16-bit token ids", source: url.path,
                remedy: "give a whole .bin file, or a text under another extension")
        }
        try requireNarrow(file)
        return TokenFile(
            file, width: 2, start: 0, count: file.count / 2, vocabularySize: tokenizer.vocabularySize)
    }

    /// Refuses ids of 32 or 64 bits, of which every second half is 0: in a text of 64 ids that does not happen.
    private static func requireNarrow(_ file: RandomAccessFile) throws(TextError) {
        let bytes = try file.bytes(0..<min(file.count, 4096))
        guard bytes.count >= 128 else { return }
        let isZero = stride(from: 0, to: bytes.count - 3, by: 4).allSatisfy { bytes[$0 + 2] == 0 && bytes[$0 + 3] == 0 }
        guard isZero, bytes.contains(where: { $0 != 0 }) else { return }
        throw TextError(
            .invalidData, "every second 16-bit id is 0, as in a file of ids of 32 or 64 bits", source: file.path,
            remedy: "write them with 16 bits: array.astype('uint16').tofile(FILE)")
    }

    private static func withForeignHeader(
        _ file: RandomAccessFile, _ known: (magic: UInt32, version: UInt32, width: Int), _ beginning: [UInt8],
        _ tokenizer: any Tokenizer
    ) throws(TextError) -> TokenFile {
        func failure(_ problem: String) -> TextError {
            TextError(
                .invalidData, "tokens of llm.c (\(known.magic)): \(problem)", source: file.path,
                remedy: "download or write the file again")
        }
        func number(_ index: Int) -> UInt32 {
            beginning[(4 * index)..<(4 * index + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard beginning.count == 32, file.count >= foreignHeaderSize else { throw failure("the header is cut short") }
        guard number(1) == known.version else { throw failure("version \(number(1)); expected \(known.version)") }
        let body = file.count - foreignHeaderSize
        guard number(2) > 0, body % known.width == 0, body / known.width == Int(number(2)) else {
            throw failure("the header says \(number(2)) ids of \(known.width) bytes, but \(body) bytes follow it")
        }
        return TokenFile(
            file, width: known.width, start: foreignHeaderSize, count: Int(number(2)),
            vocabularySize: tokenizer.vocabularySize)
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
    }
}
