import Foundation

/// How a `config.json` is read and written, whatever kind of model it describes.
enum ConfigurationJSON {
    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData`, naming the file and the key.
    static func read<Configuration: Decodable>(_ url: URL) throws(SEDDError) -> Configuration {
        guard let data = try? Data(contentsOf: url) else {
            throw SEDDError(
                .missingInput, "\(url.path): no such file; a model folder holds config.json and model.safetensors")
        }
        do { return try JSONDecoder().decode(Configuration.self, from: data) } catch let error as DecodingError {
            throw SEDDError(.invalidData, "\(url.path): \(error.line)")
        } catch {
            throw SEDDError(.invalidData, "\(url.path): \(error.localizedDescription)")
        }
    }

    static func data(_ configuration: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(configuration)
    }
}
