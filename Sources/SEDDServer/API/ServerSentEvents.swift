import Files
import Foundation
import HTTPTypes
import NIOCore

/// Server-sent events (WHATWG HTML, section 9.2): one line of JSON each, so that no text can break out of its event.
enum ServerSentEvent {
    /// `event: NAME` if named, and `data: JSON`.
    static func json(_ value: some Encodable, event: String? = nil) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        if let event { buffer.writeString("event: \(event)\n") }
        buffer.writeString("data: ")
        buffer.writeBytes(try JSON.encode(value))
        buffer.writeString("\n\n")
        return buffer
    }

    static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-store",
        // Otherwise nginx buffers events.
        .init("X-Accel-Buffering")!: "no",
    ]
    /// The end of a stream in OpenAI's API.
    static let done = ByteBuffer(string: "data: [DONE]\n\n")
    /// A comment that keeps an idle connection open.
    static let heartbeat = ByteBuffer(string: ": waiting\n\n")
}
