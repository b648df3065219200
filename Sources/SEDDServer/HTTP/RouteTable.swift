import HTTPTypes
import Hummingbird

/// The methods of each path, to distinguish a wrong method from an unknown path.
struct RouteTable: Sendable {
    private var routes: [(path: [Substring], methods: Set<String>)] = []

    /// - Parameter routes: paths with methods; `:name` or `{name}` matches any component, `**` any number of
    ///   components.
    init(_ routes: [(path: String, method: HTTPRequest.Method)] = []) {
        for (path, methods) in Dictionary(grouping: routes, by: \.path).mapValues({ $0.map(\.method.rawValue) }) {
            self.routes.append((path.split(separator: "/"), Set(methods + (methods.contains("GET") ? ["HEAD"] : []))))
        }
    }

    /// The methods of `path` including OPTIONS, sorted; empty if the path is unknown or supports `method`.
    func methods(otherThan method: HTTPRequest.Method, _ path: String) -> [String] {
        let parts = path.split(separator: "/")
        let found = path == "*" ? routes : routes.filter { Self.matches(parts, $0.path) }
        let methods = found.reduce(into: Set<String>()) { $0.formUnion($1.methods) }
        return methods.isEmpty || methods.contains(method.rawValue) ? [] : methods.union(["OPTIONS"]).sorted()
    }

    private static func matches(_ parts: [Substring], _ pattern: [Substring]) -> Bool {
        let isOpen = pattern.last == "**"
        let fixed = isOpen ? pattern.dropLast() : pattern[...]
        guard isOpen ? parts.count > fixed.count : parts.count == fixed.count else { return false }
        return zip(parts, fixed).allSatisfy { $0 == $1 || $1.hasPrefix(":") || $1.hasPrefix("{") }
    }
}
