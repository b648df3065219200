import Files
public import Foundation
import Text

/// A text to be judged, with what its line said of how it was made.
public struct TextSample: Sendable, Equatable {
    public let text: String
    /// Tokens in the vocabulary of the model that wrote it; nil where the file does not say.
    public let tokens: [Int]?
    /// Reverse steps, or tokens written from left to right.
    public let steps: Int?
    /// How it was drawn: the predictor, or `left-to-right` with what was left out of its law.
    public let sampler: String?
    /// What the model that wrote it computed in.
    public let precision: String?

    /// A text alone, or with what is known of it.
    public init(text: String, tokens: [Int]? = nil, steps: Int? = nil, sampler: String? = nil, precision: String? = nil)
    {
        self.text = text
        self.tokens = tokens
        self.steps = steps
        self.sampler = sampler
        self.precision = precision
    }

    private struct Line: Decodable {
        let text: String
        let tokens: [Int]?
        let steps: Int?
        let sampler: String?
        /// Absent where a line of `sedd sample` was computed in float32.
        let precision: String?
        let temperature: Double?
        let topK: Int?
        let topP: Double?

        /// The sampler with its settings, so that texts drawn otherwise are not taken for the same.
        var drawnBy: String? {
            let settings = [
                temperature.flatMap { $0 == 1 ? nil : "temperature \($0)" }, topK.map { "top-k \($0)" },
                topP.map { "top-p \($0)" },
            ].compactMap { $0 }
            return sampler.map { ([$0] + settings).joined(separator: ", ") }
        }
    }

    /// The samples in a file: a JSON object with a `text` a line where its name ends in `.jsonl`, else a text a line, blank
    /// lines left out.
    ///
    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData`, naming the line.
    public static func read(_ url: URL) throws(SEDDError) -> [TextSample] {
        guard let data = try? Data(contentsOf: url) else {
            throw SEDDError(
                .missingInput,
                "\(url.path): cannot be read; expected a file of samples, from sedd sample --jsonl or a text a line")
        }
        guard String(data: data, encoding: .utf8) != nil else {
            throw SEDDError(.invalidData, "\(url.path): no UTF-8; convert the texts")
        }
        let isJSON = url.pathExtension.lowercased() == "jsonl"
        var samples: [TextSample] = []
        // By bytes: to Swift's strings a carriage return and a line feed are one character.
        for (index, part) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let line = part.last == UInt8(ascii: "\r") ? part.dropLast() : part
            let text = String(decoding: line, as: UTF8.self)
            if text.allSatisfy(\.isWhitespace) { continue }
            guard isJSON else {
                samples.append(TextSample(text: text))
                continue
            }
            guard let read = try? JSONDecoder().decode(Line.self, from: line) else {
                throw SEDDError(
                    .invalidData,
                    "\(url.path): line \(index + 1) is no JSON object with a 'text'; give sedd sample --jsonl")
            }
            samples.append(
                TextSample(
                    text: read.text, tokens: read.tokens, steps: read.steps, sampler: read.drawnBy,
                    precision: read.precision ?? (read.sampler == nil ? nil : Precision.float32.rawValue)))
        }
        guard !samples.isEmpty else { throw SEDDError(.invalidData, "\(url.path): no samples; expected one or more") }
        return samples
    }
}
