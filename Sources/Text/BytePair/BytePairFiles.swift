import Files
import Foundation

/// The contents of the two files of a byte-pair tokenizer, under either of the two naming conventions.
struct BytePairFiles: Sendable {
    /// The current names, which are also those written, then those of GPT-2's release.
    static let names = [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")]

    /// A JSON object that maps tokens to ids.
    let vocabulary: [UInt8]
    /// One merge per line.
    let merges: [UInt8]
    /// Names in messages.
    let vocabularyName: String
    let mergesName: String

    init(
        vocabulary: [UInt8], merges: [UInt8], vocabularyName: String = names[0].0, mergesName: String = names[0].1
    ) {
        self.vocabulary = vocabulary
        self.merges = merges
        self.vocabularyName = vocabularyName
        self.mergesName = mergesName
    }

    /// - Throws: `missingInput`.
    init(folder: URL) throws(TextError) {
        guard let (vocabulary, merges) = Self.pair(in: folder) else {
            let problem = FileSystem.exists(folder) ? "no GPT-2 vocabulary here" : "no such folder"
            throw TextError(
                .missingInput, problem, source: folder.path,
                remedy: "name a folder with vocab.json and merges.txt, or with encoder.json and vocab.bpe")
        }
        self.init(
            vocabulary: try FileSystem.contents(of: vocabulary), merges: try FileSystem.contents(of: merges),
            vocabularyName: vocabulary.path, mergesName: merges.path)
    }

    /// The first complete pair of files in a folder, or an incomplete pair, so that reading it reports the missing
    /// file.
    static func pair(in folder: URL) -> (vocabulary: URL, merges: URL)? {
        let pairs = names.map { (folder.appendingPathComponent($0.0), folder.appendingPathComponent($0.1)) }
        return pairs.first { FileSystem.exists($0.0) && FileSystem.exists($0.1) }
            ?? pairs.first { FileSystem.exists($0.0) || FileSystem.exists($0.1) }
    }

    /// The files under their current names.
    var written: [(name: String, bytes: [UInt8])] {
        [(Self.names[0].0, vocabulary), (Self.names[0].1, merges)]
    }

    /// - Throws: `invalidData` if the files are malformed.
    func model() throws(TextError) -> BytePairModel {
        let tokens = try Vocabulary(json: vocabulary, source: vocabularyName)
        let index = try VocabularyIndex(tokens, source: vocabularyName)
        let merges = try MergeParser.parse(self.merges, source: mergesName, vocabulary: index)
        var byteIds: [Int32] = []
        for byte in UInt8.min...UInt8.max {
            let id = withUnsafePointer(to: byte) { index.id(of: UnsafeBufferPointer(start: $0, count: 1)) }
            guard let id else {
                throw TextError(
                    .invalidData, "no token for byte \(byte)", source: vocabularyName,
                    remedy: "use a byte-level vocabulary, which has all 256")
            }
            byteIds.append(id)
        }
        let ends = TokenizerJSON.endsOfText.lazy.compactMap { text in
            Array(text.utf8).withUnsafeBufferPointer { index.id(of: $0) }
        }
        return BytePairModel(vocabulary: tokens, byteIds: byteIds, merges: merges, endOfText: ends.first)
    }
}
