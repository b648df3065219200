public import Files
public import Foundation

/// Data as named on the command line: `FILE`, or `NAME:FILE` for the published preprocessing of a corpus.
public struct DataSpecification: Sendable, Equatable, CustomStringConvertible {
    /// The corpus; nil for a file without special preprocessing.
    public let name: DataSetName?
    /// The file.
    public let file: URL
    /// As written by the user.
    public let description: String

    /// - Throws: `usage` for an unknown name, suggesting the nearest one.
    public init(_ text: String) throws(TextError) {
        description = text
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        // A colon may also be part of a file name.
        guard parts.count == 2, !FileManager.default.fileExists(atPath: text), !parts[0].contains("/") else {
            name = nil
            file = FileSystem.url(text)
            return
        }
        let known = DataSetName.allCases.map(\.rawValue)
        guard let found = DataSetName(rawValue: parts[0]) else {
            let nearest = NearestName.of(parts[0], among: known) ?? known[0]
            throw TextError(
                .usage, "no data set is called '\(parts[0])'", source: text,
                remedy: "did you mean '\(nearest):'? Known are \(known.joined(separator: ", ")), or a file alone")
        }
        guard !parts[1].isEmpty else {
            throw TextError(
                .usage, "the file after '\(parts[0]):' is missing", source: text, remedy: "write \(parts[0]):FILE")
        }
        name = found
        file = FileSystem.url(parts[1])
    }

    /// Data without a file of their own.
    init(named name: String) {
        self.name = nil
        file = FileSystem.url(name)
        description = name
    }
}
