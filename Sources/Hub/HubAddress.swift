import Foundation

/// Addresses of the hub's files, and which of them may receive the token.
enum HubAddress {
    /// `ENDPOINT/ORG/NAME/resolve/REVISION/PATH`.
    static func resolve(_ endpoint: String, _ repository: String, _ revision: String, _ name: String) -> URL? {
        URL(
            string: endpoint + "/" + repository + "/resolve/" + quoted(revision, keepsSlashes: false) + "/"
                + quoted(name, keepsSlashes: true))
    }

    /// Whether scheme, host and port are equal: no other address may receive the token.
    static func isSameOrigin(_ a: URL, _ b: URL) -> Bool {
        guard let first = origin(a), let second = origin(b) else { return false }
        return first == second
    }

    /// Whether a redirect may be followed: never from an encrypted connection to a plain one, nor to another scheme.
    static func mayRedirect(from: URL, to: URL) -> Bool {
        guard let target = to.scheme?.lowercased(), to.host() != nil else { return false }
        return target == "https" || (target == "http" && from.scheme?.lowercased() == "http")
    }

    private static func origin(_ url: URL) -> [String]? {
        guard let scheme = url.scheme?.lowercased(), let host = url.host()?.lowercased() else { return nil }
        return [scheme, host, String(url.port ?? (scheme == "https" ? 443 : 80))]
    }

    private static func quoted(_ text: String, keepsSlashes: Bool) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            let isPlain = byte < 0x80 && (character.isLetter || character.isNumber || "_.-~".contains(character))
            if isPlain || (keepsSlashes && character == "/") { return String(character) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
