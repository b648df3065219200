import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// The keys that `/v1` wants, where there are any. Only their digests are kept, and they are compared in constant time.
package struct APIKeys: Sendable {
    private let digests: [SHA256Digest]

    /// - Parameter keys: none where everybody may ask.
    package init(_ keys: [String] = []) {
        digests = keys.map { SHA256.hash(data: Data($0.utf8)) }
    }

    /// Whether everybody may ask.
    package var isEmpty: Bool { digests.isEmpty }

    func contains(_ key: some StringProtocol) -> Bool {
        let digest = SHA256.hash(data: Data(key.utf8))
        // All of them are looked at, whichever it is.
        return digests.reduce(false) { found, known in known == digest || found }
    }
}

/// Lets requests through that carry a key: `Authorization: Bearer KEY`. It stands before the routes that want one, not before paths
/// that look like theirs.
struct Authentication: RouterMiddleware {
    let keys: APIKeys

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard !keys.isEmpty else { return try await next(request, context) }
        let parts = (request.headers[.authorization] ?? "").split { $0 == " " || $0 == "\t" }
        guard parts.count == 2, parts[0].lowercased() == "bearer", keys.contains(parts[1]) else {
            throw APIError(
                .unauthorized, .authentication,
                parts.isEmpty
                    ? "a key is needed: send Authorization: Bearer KEY" : "the key is not one of this server's",
                code: "invalid_api_key")
        }
        return try await next(request, context)
    }
}
