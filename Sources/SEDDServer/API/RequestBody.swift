import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Reads the JSON body of a request.
enum RequestBody {
    /// The members of the object in the body.
    ///
    /// If the client waits for `100 Continue`, it is sent only after everything else about the request has been
    /// checked.
    ///
    /// - Throws: ``APIError`` for another content type or coding, a body of more than `limit` bytes, or a body that is
    ///   not a JSON object.
    static func fields(_ request: Request, _ context: ServerContext, limit: Int) async throws -> RequestFields {
        try checkType(request)
        try checkCoding(request)
        let tooLarge = APIError(
            .contentTooLarge, .invalidRequest, "the body has more than \(limit) bytes; send less",
            code: "body_too_large")
        if let length = request.headers[.contentLength], Int(length) ?? .max > limit { throw tooLarge }
        if request.headers[.expect] != nil {
            try? await context.channel.triggerUserOutboundEvent(BodyIsWanted()).get()
        }
        do {
            let body = try await request.body.collect(upTo: limit)
            return try RequestFields(body: Array(body.readableBytesView))
        } catch let error as APIError {
            throw error
        } catch is NIOTooManyBytesError {
            throw tooLarge
        } catch {
            context.logger.debug("a body broke off", metadata: ["error": "\(error)"])
            throw APIError.invalid(nil, "the body ended early, or its chunks are malformed", code: "broken_body")
        }
    }

    private static func checkType(_ request: Request) throws(APIError) {
        let type = request.headers[.contentType]?.split(separator: ";").first.map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        guard type != "application/json" else { return }
        throw APIError(
            .unsupportedMediaType, .invalidRequest,
            "the content type is \(type.map { "'\($0.prefix(100))'" } ?? "missing"); expected application/json",
            code: "unsupported_media_type")
    }

    private static func checkCoding(_ request: Request) throws(APIError) {
        let coding = (request.headers[.contentEncoding] ?? "").trimmingCharacters(in: .whitespaces).lowercased()
        guard !coding.isEmpty, coding != "identity" else { return }
        throw APIError(
            .unsupportedMediaType, .invalidRequest,
            "the content coding '\(coding.prefix(100))' is not supported; send uncompressed JSON, without Content-Encoding",
            code: "unsupported_content_encoding")
    }
}
