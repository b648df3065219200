import Files
import Foundation
import Yams

/// `run.yaml`: the resolved configuration of a run and, under `run`, its record.
struct RunFile {
    static let recordKey = "run"
    var configuration: TrainingConfiguration
    var record: RunRecord?

    init(configuration: TrainingConfiguration, record: RunRecord?) {
        self.configuration = configuration
        self.record = record
    }

    /// - Throws: `FileError` or ``SEDDError`` of kind `invalidData` that names the key.
    init(contentsOf file: URL) throws {
        configuration = try ConfigurationFile.resolve(contentsOf: file)
        let text = String(decoding: try FileSystem.contents(of: file, limit: ConfigurationFile.greatest), as: UTF8.self)
        guard let node = try YAMLText.node(text, source: file.path)?[Self.recordKey] else { return }
        do { record = try YAMLDecoder().decode(RunRecord.self, from: node) } catch let error as DecodingError {
            throw SEDDError(.invalidData, "\(file.path): \(Self.recordKey): \(error.line)")
        }
    }

    func write(to file: URL) throws {
        var text = try ConfigurationFile.yaml(configuration)
        if let record {
            text += "# What the run last used beside the configuration; written by sedd.\n"
            text += ConfigurationFile.plainNumbers(try YAMLEncoder().encode([Self.recordKey: record]))
        }
        try OutputFile.write(Array(text.utf8), to: file)
    }
}
