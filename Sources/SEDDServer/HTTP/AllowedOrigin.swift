/// A serialized origin as browsers send it (RFC 6454, section 6.1): lower-case scheme and host, a port unless it is the
/// scheme's default, and nothing after it. Any other spelling never equals what a browser sends.
package enum AllowedOrigin {
    /// - Returns: what is wrong with `text`, and what to write instead; nil for a valid origin, `*` for all, or `null`
    ///   for files and sandboxed frames.
    package static func fault(_ text: String) -> String? {
        if text == "*" || text == "null" { return nil }
        let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard text.contains("://"), parts.count >= 3, parts[1].isEmpty, parts[0].hasSuffix(":"),
            isScheme(parts[0].dropLast())
        else {
            let host = text.split(separator: "/").first.map(String.init) ?? ""
            return
                "'\(text)' is not an origin; expected scheme://host or scheme://host:port\(suggestion("https://" + host))"
        }
        let scheme = parts[0].dropLast().lowercased()
        guard let authority = authority(String(parts[2]), scheme) else {
            return
                "'\(text)' is not an origin; expected a host, with a port from 1 to 65535 unless it is the default of \(scheme)"
        }
        let origin = "\(scheme)://\(authority)"
        return origin == text ? nil : "'\(text)' is not how browsers write an origin; write \(origin)"
    }

    private static func suggestion(_ text: String) -> String { fault(text) == nil ? ", such as \(text)" : "" }

    private static func isScheme(_ text: Substring) -> Bool {
        text.first?.isLetter == true && text.utf8.allSatisfy { "+-.".utf8.contains($0) || isAlphanumeric($0) }
    }

    /// Host and port as browsers write them; nil if invalid.
    private static func authority(_ text: String, _ scheme: String) -> String? {
        let isLiteral = text.hasPrefix("[")
        let host = isLiteral ? text.prefix { $0 != "]" } + "]" : text.prefix { $0 != ":" }
        let inner = isLiteral ? host.dropFirst().dropLast() : host
        guard !inner.isEmpty, text.hasPrefix(host),
            inner.utf8.allSatisfy({ (isLiteral ? ":." : "-._").utf8.contains($0) || isAlphanumeric($0) })
        else { return nil }
        let rest = text.dropFirst(host.count)
        if rest.isEmpty { return host.lowercased() }
        guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()), port > 0 else { return nil }
        let own = ["http": 80, "https": 443][scheme]
        return own == Int(port) ? host.lowercased() : "\(host.lowercased()):\(port)"
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}
