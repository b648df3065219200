import Files
import Foundation

/// Reads and writes `config.json` of any kind of model.
enum ConfigurationJSON {
    /// Maximum size of a configuration file, bytes.
    private static let greatest = 1 << 24

    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData` that names the file and the key.
    static func read<Configuration: Decodable>(_ url: URL) throws(SEDDError) -> Configuration {
        guard FileSystem.exists(url) else {
            throw SEDDError(
                .missingInput,
                "\(url.path): no such file; expected a model folder with config.json and model.safetensors")
        }
        let bytes: [UInt8]
        do { bytes = try FileSystem.contents(of: url, limit: greatest) } catch {
            throw SEDDError(error.kind, error.description)
        }
        do { return try JSON.decode(from: bytes, source: url.path) } catch {
            throw SEDDError(error.kind, error.description)
        }
    }

    static func data(_ configuration: some Encodable) throws -> Data {
        Data(try JSON.encode(configuration, pretty: true))
    }
}
