public import Foundation
import Text

/// A text to be judged, with what its line said of how it was made.
public struct TextSample: Sendable, Equatable {
    public let text: String
    /// Tokens in the vocabulary of the model that wrote it; nil where the file does not say.
    public let tokens: [Int]?
    /// Reverse steps, or tokens written from left to right.
    public let steps: Int?
    public let sampler: String?

    /// A text alone, or with what is known of it.
    public init(text: String, tokens: [Int]? = nil, steps: Int? = nil, sampler: String? = nil) {
        self.text = text
        self.tokens = tokens
        self.steps = steps
        self.sampler = sampler
    }

    private struct Line: Decodable {
        let text: String
        let tokens: [Int]?
        let steps: Int?
        let sampler: String?
    }

    /// The samples in a file: a JSON object with a `text` a line where its name ends in `.jsonl`, else a text a line, blank
    /// lines left out.
    ///
    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData`, naming the line.
    public static func read(_ url: URL) throws(SEDDError) -> [TextSample] {
        guard let data = try? Data(contentsOf: url) else {
            throw SEDDError(
                .missingInput, "\(url.path): no such file; expected samples, from sedd sample --jsonl or a text a line")
        }
        guard let whole = String(data: data, encoding: .utf8) else {
            throw SEDDError(.invalidData, "\(url.path): no UTF-8; convert the texts")
        }
        let isJSON = url.pathExtension.lowercased() == "jsonl"
        var samples: [TextSample] = []
        for (index, line) in whole.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.allSatisfy(\.isWhitespace) {
            guard isJSON else {
                samples.append(TextSample(text: String(line)))
                continue
            }
            guard let read = try? JSONDecoder().decode(Line.self, from: Data(line.utf8)) else {
                throw SEDDError(
                    .invalidData,
                    "\(url.path): line \(index + 1) is no JSON object with a 'text'; give sedd sample --jsonl")
            }
            samples.append(TextSample(text: read.text, tokens: read.tokens, steps: read.steps, sampler: read.sampler))
        }
        guard !samples.isEmpty else { throw SEDDError(.invalidData, "\(url.path): no samples; expected one or more") }
        return samples
    }
}
