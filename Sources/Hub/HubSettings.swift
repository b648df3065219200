package import Files
package import Foundation

/// Endpoint, cache and access token, from the environment variables that `huggingface_hub` reads.
package struct HubSettings: Sendable {
    /// URL of the hub, without a trailing slash.
    package var endpoint = "https://huggingface.co"
    /// The folder that holds `models--ORG--NAME`.
    package var cache: URL
    package var token: String?
    /// Whether only the cache is used, without network access.
    package var isOffline = false
    /// Whether files of snapshots are copies instead of links.
    package var copiesFiles = false
    /// Timeout of a metadata request, seconds.
    package var metadataTimeout = 10
    /// Seconds without data after which a download is restarted from where it stopped.
    package var downloadTimeout = 10
    /// Maximum retries after a failure of the network or the hub.
    package var retries = 5
    /// A file of CA certificates to use instead of the system's.
    package var certificates: String?
    /// Proxies for requests.
    package var proxies = ProxySettings()
    /// The User-Agent header.
    package var agent = "sedd"

    package init(cache: URL) { self.cache = cache }

    /// - Throws: `usage` for an endpoint that is not a URL; `missingInput` for a token file that cannot be read.
    package init(environment: [String: String]) throws(FileError) {
        func path(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : Self.expanded($0, environment) }
        }
        let userCache = path("XDG_CACHE_HOME") ?? Self.expanded("~/.cache", environment)
        let home = path("HF_HOME") ?? userCache + "/huggingface"
        cache = FileSystem.url(path("HF_HUB_CACHE") ?? path("HUGGINGFACE_HUB_CACHE") ?? home + "/hub")
        if let named = environment["HF_ENDPOINT"], !named.isEmpty {
            endpoint = try Self.endpoint(named)
        }
        isOffline = Self.isTrue(
            environment["HF_HUB_OFFLINE"].flatMap { $0.isEmpty ? nil : $0 } ?? environment["TRANSFORMERS_OFFLINE"])
        copiesFiles = Self.isTrue(environment["HF_HUB_DISABLE_SYMLINKS"])
        metadataTimeout = Self.seconds(environment["HF_HUB_ETAG_TIMEOUT"]) ?? metadataTimeout
        downloadTimeout = Self.seconds(environment["HF_HUB_DOWNLOAD_TIMEOUT"]) ?? downloadTimeout
        certificates = path("SSL_CERT_FILE")
        proxies = ProxySettings(environment: environment)
        if !Self.isTrue(environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"]) {
            token = try Self.token(environment, file: path("HF_TOKEN_PATH") ?? home + "/token")
        }
    }

    private static func endpoint(_ text: String) throws(FileError) -> String {
        let trimmed = String(text.reversed().drop { $0 == "/" }.reversed())
        guard let url = URL(string: trimmed), let scheme = url.scheme, ["http", "https"].contains(scheme),
            url.host()?.isEmpty == false, url.query() == nil, url.user() == nil
        else {
            throw FileError(
                .usage, "HF_ENDPOINT is '\(text)'; expected a URL such as https://huggingface.co",
                remedy: "correct it, or unset it")
        }
        return trimmed
    }

    private static func token(_ environment: [String: String], file: String) throws(FileError) -> String? {
        func cleaned(_ text: String?) -> String? {
            let trimmed = text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
            return trimmed.isEmpty ? nil : trimmed
        }
        let named = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].lazy.compactMap { cleaned(environment[$0]) }.first
        let place = FileSystem.url(file)
        guard named == nil, FileSystem.exists(place) else { return try checked(named, source: "HF_TOKEN") }
        let text = String(decoding: try FileSystem.contents(of: place, limit: 1 << 16), as: UTF8.self)
        return try checked(cleaned(text), source: file)
    }

    /// A token becomes part of a header, whose structure a line break or a space would change.
    private static func checked(_ token: String?, source: String) throws(FileError) -> String? {
        guard let token else { return nil }
        guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw FileError(
                .usage, "the token holds blanks, control characters or letters outside ASCII", source: source,
                remedy: "copy it again from the hub's settings")
        }
        return token
    }

    /// `~` and `$NAME` as Python expands them.
    private static func expanded(_ path: String, _ environment: [String: String]) -> String {
        var result = path
        if path == "~" || path.hasPrefix("~/") {
            result = (environment["HOME"] ?? NSHomeDirectory()) + path.dropFirst()
        }
        return result.replacing(/\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/) { match in
            environment[String(match.1 ?? match.2 ?? "")] ?? String(match.0)
        }
    }

    private static func isTrue(_ value: String?) -> Bool {
        ["1", "ON", "YES", "TRUE"].contains((value ?? "").uppercased())
    }

    private static func seconds(_ value: String?) -> Int? {
        value.flatMap { Int($0) }.flatMap { (1...86_400).contains($0) ? $0 : nil }
    }
}
