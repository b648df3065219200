extension DecodingError {
    /// One line: the key, what was expected and what was found.
    var line: String {
        func path(_ context: Context, _ last: (any CodingKey)? = nil) -> String {
            let keys = (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue)
            return keys.isEmpty ? "the file" : keys.joined(separator: ".")
        }
        return switch self {
        case .keyNotFound(let key, let context): "\(path(context, key)) is missing; add it"
        case .typeMismatch(let type, let context):
            "\(path(context)) has the wrong type; expected \(Self.name(of: type))"
        case .valueNotFound(let type, let context): "\(path(context)) is null; expected \(Self.name(of: type))"
        case .dataCorrupted(let context): "\(path(context)): \(context.debugDescription)"
        @unknown default: "the file cannot be read: \(self)"
        }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is Int.Type: "a whole number"
        case is Double.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "a text"
        default: "\(type)"
        }
    }
}
