import Files
import Foundation

/// The split of text8 used for bits per character: the last 5 x 10^6 of its 10^8 characters are the test set.
enum Text8 {
    static let wholeCount = 100_000_000
    static let testCount = 5_000_000

    /// The test split of the whole file; a file of another size is taken to be a split already.
    /// - Throws: `invalidData` with the byte offset for a character outside text8's alphabet.
    static func testSplit(_ text: String, _ file: URL) throws(TextError) -> String {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        if let place = bytes.firstIndex(where: { !letters.contains($0) && $0 != UInt8(ascii: " ") }) {
            throw TextError(
                .invalidData, "byte \(bytes[place]) is neither a letter from a to z nor a space", source: file.path,
                byteOffset: place, remedy: "give the file text8, or leave 'text8:' out")
        }
        return String(decoding: bytes.count == wholeCount ? bytes.suffix(testCount) : bytes[...], as: UTF8.self)
    }
}
