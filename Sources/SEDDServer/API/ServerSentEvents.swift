import Files
import Foundation
import HTTPTypes
import NIOCore

/// Server-sent events (WHATWG HTML, section 9.2): one line of JSON each, so that no text can break out of its event.
enum ServerSentEvent {
    /// `event: NAME`, where it has one, and `data: JSON`.
    static func json(_ value: some Encodable, event: String? = nil) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        if let event { buffer.writeString("event: \(event)\n") }
        buffer.writeString("data: ")
        buffer.writeBytes(try JSON.encoded(value))
        buffer.writeString("\n\n")
        return buffer
    }

    static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-store",
        // nginx would gather events otherwise.
        .init("X-Accel-Buffering")!: "no",
    ]
    /// How a stream of OpenAI's API ends.
    static let done = ByteBuffer(string: "data: [DONE]\n\n")
    /// What keeps a connection open while there is nothing to tell.
    static let heartbeat = ByteBuffer(string: ": waiting\n\n")
}

/// JSON as this server writes it.
enum JSON {
    static func encoded(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }
}
