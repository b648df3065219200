import Files
import Foundation

/// How a `config.json` is read and written, whatever kind of model it describes.
enum ConfigurationJSON {
    /// Bytes of the largest file that is read as a configuration.
    private static let greatest = 1 << 24

    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData`, naming the file and the key.
    static func read<Configuration: Decodable>(_ url: URL) throws(SEDDError) -> Configuration {
        guard FileSystem.exists(url) else {
            throw SEDDError(
                .missingInput, "\(url.path): no such file; a model folder holds config.json and model.safetensors")
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
