import Foundation

/// How reports are encoded. Missing values are omitted; a number outside the range of a double is encoded as a string.
package enum ReportJSON {
    /// One line of JSON.
    package static func line(_ report: some Encodable) throws -> String {
        String(decoding: try encoder([.sortedKeys, .withoutEscapingSlashes]).encode(report), as: UTF8.self)
    }

    static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return encoder
    }
}
