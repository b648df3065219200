import Foundation

/// Which proxy a request goes through, by the variables that most clients read: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY`, in either case.
package struct ProxySettings: Sendable, Equatable {
    struct Proxy: Sendable, Equatable {
        let host: String
        let port: Int
        let user: String?
        let password: String?
    }

    private var byScheme: [String: String] = [:]
    private var excluded: [String] = []

    package init() {}

    init(environment: [String: String]) {
        func value(_ name: String) -> String? {
            // In a CGI process the upper-case HTTP_PROXY may come from a request header.
            let upper =
                name == "http_proxy" && environment["REQUEST_METHOD"] != nil ? nil : environment[name.uppercased()]
            return (environment[name] ?? upper).flatMap { $0.isEmpty ? nil : $0 }
        }
        for scheme in ["http", "https"] { byScheme[scheme] = value("\(scheme)_proxy") ?? value("all_proxy") }
        excluded = (value("no_proxy") ?? "").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }.filter { !$0.isEmpty }
    }

    /// The proxy for requests to `url`; nil for a direct connection.
    func proxy(for url: URL) -> Proxy? {
        guard let host = url.host()?.lowercased(), let scheme = url.scheme, let named = byScheme[scheme] else {
            return nil
        }
        let isExcluded = excluded.contains { entry in
            let suffix = entry.hasPrefix(".") ? String(entry.dropFirst()) : entry
            return entry == "*" || host == suffix || host.hasSuffix("." + suffix)
        }
        guard !isExcluded, let proxy = URL(string: named.contains("://") ? named : "http://" + named),
            let proxyHost = proxy.host(), !proxyHost.isEmpty
        else { return nil }
        return Proxy(
            host: proxyHost, port: proxy.port ?? (proxy.scheme == "https" ? 443 : 80), user: proxy.user(),
            password: proxy.password())
    }
}
