import Files
public import Foundation
import Text

/// A text to be judged, with what its record says about how it was generated.
public struct TextSample: Sendable, Equatable {
    /// The text itself.
    public let text: String
    /// Tokens in the vocabulary of the model that generated it; nil if not recorded.
    public let tokens: [Int]?
    /// Reverse steps, or tokens generated autoregressively.
    public let steps: Int?
    /// How it was sampled: the method and its settings, so that texts sampled differently are not pooled.
    public let sampler: String?
    /// Precision of the model that generated it.
    public let precision: String?

    /// A text, alone or with what is known about it.
    public init(text: String, tokens: [Int]? = nil, steps: Int? = nil, sampler: String? = nil, precision: String? = nil)
    {
        self.text = text
        self.tokens = tokens
        self.steps = steps
        self.sampler = sampler
        self.precision = precision
    }

    /// Reads the samples in a file: JSON rows with a `text` each, documents separated by `<|endoftext|>`, or one text
    /// per line.
    ///
    /// - Parameter whole: whether whole sequences are judged; otherwise rows with a blank text are left out.
    /// - Throws: an error of kind `missingInput` or `invalidData`, naming the row.
    public static func read(_ url: URL, whole: Bool = false) throws -> [TextSample] {
        let samples =
            DocumentReader.form(of: url) == .json
            ? try rows(of: url).filter { whole || !$0.text.allSatisfy(\.isWhitespace) }
            : try DocumentReader.texts(of: url).texts.map { TextSample(text: $0) }
        guard !samples.isEmpty else { throw SEDDError(.invalidData, "\(url.path): no samples; expected one or more") }
        return samples
    }

    private static func rows(of url: URL) throws(FileError) -> [TextSample] {
        let rows = try JSONRows(url)
        var samples: [TextSample] = []
        while let row = try rows.next() {
            let first = row.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D && $0 != 0x0A }
            if first == UInt8(ascii: "\"") {
                samples.append(TextSample(text: try JSON.decode(from: Array(row), source: rows.place)))
                continue
            }
            let read = try JSON.decode(SampleRecord.self, from: Array(row), source: rows.place)
            samples.append(
                TextSample(
                    text: read.text, tokens: read.tokens, steps: read.settings?.steps, sampler: read.settings?.summary,
                    precision: read.precision?.rawValue))
        }
        return samples
    }
}
