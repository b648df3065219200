package import Foundation

/// Decodes JSON files and lines.
package enum JSON {
    /// Decodes a value of type `Value`.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8.
    ///   - source: name in messages: a path, or a path and a line.
    /// - Throws: ``FileError`` of kind `invalidData` that names the byte, or the member and the expected value.
    package static func decode<Value: Decodable>(
        _: Value.Type = Value.self, from bytes: [UInt8], source: String, rules: JSONParser.Rules = .file
    ) throws(FileError) -> Value {
        let tree = try parse(bytes, source: source, rules: rules)
        do { return try Value(from: JSONDecoding(tree)) } catch let error as DecodingError {
            throw FileError(.invalidData, error.line, source: source)
        } catch {
            throw FileError(.invalidData, "\(error)", source: source)
        }
    }

    /// Parses bytes into a tree.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` that names the byte.
    package static func parse(
        _ bytes: [UInt8], source: String, rules: JSONParser.Rules = .file
    ) throws(FileError) -> JSONValue {
        if let offset = bytes.withUnsafeBufferPointer({ UTF8Bytes.firstInvalid(in: $0) }) {
            throw UTF8Bytes.invalid(at: offset).located(in: source)
        }
        do { return try JSONParser.parse(bytes, rules) } catch {
            throw FileError(
                .invalidData, "not valid JSON: \(error.problem)", source: source, byteOffset: error.byteOffset)
        }
    }

    /// Reads a file of at most `limit` bytes; see ``decode(_:from:source:rules:)``.
    package static func decode<Value: Decodable>(
        _: Value.Type = Value.self, contentsOf file: URL, limit: Int = 1 << 26, rules: JSONParser.Rules = .file
    ) throws(FileError) -> Value {
        try decode(from: FileSystem.contents(of: file, limit: limit), source: file.path, rules: rules)
    }

    /// Encodes `value` deterministically: equal values give equal bytes.
    ///
    /// - Parameter pretty: whether to indent for readability.
    package static func encode(_ value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        // Dictionaries are unordered.
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value))
    }

    /// The same as a text of one line.
    package static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encode(value), as: UTF8.self)
    }
}

extension DecodingError {
    /// One line: the key, the expected and the found value.
    package var line: String {
        func path(_ context: Context, _ last: (any CodingKey)? = nil) -> String {
            let keys = context.codingPath + (last.map { [$0] } ?? [])
            let names = keys.map { $0.intValue.map(String.init) ?? $0.stringValue }
            return names.isEmpty ? "the file" : names.joined(separator: ".")
        }
        return switch self {
        case .keyNotFound(let key, let context): "\(path(context, key)) is missing; add it"
        case .typeMismatch(let type, let context):
            "\(path(context)) has the wrong type; expected \(Self.name(of: type))"
        case .valueNotFound(let type, let context): "\(path(context)) is null; expected \(Self.name(of: type))"
        case .dataCorrupted(let context): "\(path(context)): \(Self.plain(context.debugDescription))"
        @unknown default: "the file cannot be read: \(self)"
        }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is any FixedWidthInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "a string"
        case is [JSONValue].Type: "a list"
        case is [String: JSONValue].Type: "an object"
        default: nodes["\(type)"] ?? "\(type)"
        }
    }

    /// What readers of YAML expect, by the names of their types.
    private static let nodes = ["Scalar": "one value", "Sequence": "a list", "Mapping": "a mapping"]

    /// The standard library's words for a value that an enumeration does not have, without the enumeration.
    private static func plain(_ description: String) -> String {
        guard let match = description.wholeMatch(of: /Cannot initialize \w+ from invalid \w+ value (.*)/) else {
            return description
        }
        return "'\(match.1)' is unknown"
    }
}
