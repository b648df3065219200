import NIOCore

/// Remembers how the lines that come in begin, and which was too long, so that what the parser could not take can be named: it tells
/// that something was too long or unknown, but not whether that was the request line or a header.
final class LongLineWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Bytes of a line that tell what it is.
    private static let telling = 24

    private let limit: Int
    private var start: [UInt8] = []
    private var length = 0
    /// How the first line of the last read begins.
    private(set) var firstLine: [UInt8] = []
    private var longLine: [UInt8]?

    /// - Parameter limit: bytes of a line above which it is too long.
    init(limit: Int) { self.limit = limit }

    /// Whether the last read had a line that was too long and begins as a request does: with a method and a space.
    var hasLongRequestLine: Bool { longLine.map(Self.beginsAsRequest) ?? false }

    /// Whether the last read begins as a request does.
    var beginsAsRequest: Bool { Self.beginsAsRequest(firstLine) }

    private static func beginsAsRequest(_ line: [UInt8]) -> Bool {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), space > 0 else { return false }
        return line[..<space].allSatisfy { byte in
            (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
                || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        buffer.withUnsafeReadableBytes { note($0) }
        context.fireChannelRead(data)
    }

    private func note(_ bytes: UnsafeRawBufferPointer) {
        longLine = nil
        var isFirst = true
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let line = rest[..<(end ?? rest.endIndex)]
            if start.count < Self.telling { start += line.prefix(Self.telling - start.count) }
            length += line.count
            if isFirst { firstLine = start }
            isFirst = false
            if length > limit { longLine = start }
            guard let end else { return }
            (start, length) = ([], 0)
            rest = rest[(end + 1)...]
        }
    }
}

@available(*, unavailable)
extension LongLineWatch: Sendable {}
