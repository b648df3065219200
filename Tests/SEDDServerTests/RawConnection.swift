import Dispatch
import Foundation

/// A client that sends raw bytes, for malformed requests; it blocks, so it has its own threads.
struct RawConnection: Sendable {
    enum Step: Sendable {
        case send(String)
        /// Closes the client's side.
        case closeWriting
        /// Reads until that has come.
        case readUntil(String)
        case readToEnd
        case pause(seconds: Double)
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let queue = DispatchQueue(label: "raw connections", attributes: .concurrent)
    private let socket: Int32

    /// A connection to a port of this machine.
    init(port: Int) async throws {
        socket = try await Self.onThread { try Self.connected(port) }
    }

    /// What a connection of its own reads over `steps`.
    static func exchange(_ port: Int, _ steps: Step...) async throws -> String {
        let connection = try await RawConnection(port: port)
        defer { connection.close() }
        return try await connection.run(steps)
    }

    /// - Returns: all that was read, by all steps.
    func run(_ steps: [Step]) async throws -> String {
        try await Self.onThread {
            var all: [UInt8] = []
            for step in steps {
                switch step {
                case .send(let text): try send(Array(text.utf8))
                case .closeWriting: shutdown(socket, Int32(SHUT_WR))
                case .readUntil(let text):
                    while !String(decoding: all, as: UTF8.self).contains(text) {
                        let more = try read()
                        if more.isEmpty {
                            throw Failure(description: "ended after: \(String(decoding: all, as: UTF8.self))")
                        }
                        all += more
                    }
                case .readToEnd:
                    while true {
                        let more = try read()
                        if more.isEmpty { break }
                        all += more
                    }
                case .pause(let seconds): Thread.sleep(forTimeInterval: seconds)
                }
            }
            return String(decoding: all, as: UTF8.self)
        }
    }

    func close() { Foundation.close(socket) }

    private static func connected(_ port: Int) throws -> Int32 {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var wait = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "cannot connect: \(errno)") }
        return socket
    }

    /// The server may have closed already; its response still counts.
    private func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    private func read() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket, &bytes, bytes.count, 0)
        if count < 0, errno == EAGAIN { throw Failure(description: "nothing came within a minute") }
        return count <= 0 ? [] : Array(bytes[..<count])
    }

    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}

/// One answer of HTTP/1.1 in a stream of them.
struct RawAnswer {
    let status: Int
    /// Whether it is not `100 Continue`, by which a slow server asks whether the client is still there.
    var isFinal: Bool { status != 100 }
    let headers: [String: String]
    let body: String

    /// The answers that `text` holds, each with Content-Length or chunks, or to the end.
    static func all(_ text: String) -> [RawAnswer] {
        var answers: [RawAnswer] = []
        var rest = Substring(text)
        while let end = rest.range(of: "\r\n\r\n") {
            let lines = rest[..<end.lowerBound].components(separatedBy: "\r\n")
            guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { break }
            var headers: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
            }
            rest = rest[end.upperBound...]
            var body = ""
            if let length = headers["content-length"].flatMap({ Int($0) }) {
                body = String(decoding: Array(rest.utf8.prefix(length)), as: UTF8.self)
                rest = Substring(String(decoding: Array(rest.utf8.dropFirst(length)), as: UTF8.self))
            } else if headers["transfer-encoding"] == "chunked" {
                while let line = rest.range(of: "\r\n"), let size = Int(rest[..<line.lowerBound], radix: 16) {
                    let bytes = Array(rest[line.upperBound...].utf8)
                    body += String(decoding: bytes.prefix(size), as: UTF8.self)
                    rest = Substring(String(decoding: bytes.dropFirst(size + 2), as: UTF8.self))
                    if size == 0 { break }
                }
            } else if status >= 200, status != 204 {
                body = String(rest)
                rest = ""
            }
            answers.append(RawAnswer(status: status, headers: headers, body: body))
        }
        return answers
    }
}
