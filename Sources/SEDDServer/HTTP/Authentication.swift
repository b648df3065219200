import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// The API keys that `/v1` requires, if any. Only their digests are stored, and they are compared in constant time.
package struct APIKeys: Sendable {
    private let digests: [SHA256Digest]

    /// - Parameter keys: empty to allow everybody.
    package init(_ keys: [String] = []) {
        digests = keys.map { SHA256.hash(data: Data($0.utf8)) }
    }

    /// Whether no key is required.
    package var isEmpty: Bool { digests.isEmpty }

    func contains(_ key: some StringProtocol) -> Bool {
        let digest = SHA256.hash(data: Data(key.utf8))
        // All digests are compared, regardless of matches.
        return digests.reduce(false) { found, known in known == digest || found }
    }
}

/// Admits requests with a valid key: `Authorization: Bearer KEY`. It is attached to routes rather than to path
/// prefixes, so alternative spellings of a path cannot bypass it.
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
                    ? "an API key is required: send Authorization: Bearer KEY"
                    : "the API key is invalid; expected one of this server's keys",
                code: "invalid_api_key")
        }
        return try await next(request, context)
    }
}
