import NIOCore

/// Records how input lines begin and whether one was too long, because the parser's errors do not tell whether the
/// request line or a header was at fault.
final class LongLineWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Number of bytes recorded of each line.
    private static let telling = 24

    private let limit: Int
    private var start: [UInt8] = []
    private var length = 0
    /// The beginning of the first line of the last read.
    private(set) var firstLine: [UInt8] = []
    private var longLine: [UInt8]?
    /// Whether the first line of the last read ends in LF without CR.
    private(set) var hasBareLineFeed = false

    /// - Parameter limit: maximum line length, bytes.
    init(limit: Int) { self.limit = limit }

    /// Whether the last read had an overlong line that begins like a request: with a method and a space.
    var hasLongRequestLine: Bool { longLine.map(Self.beginsAsRequest) ?? false }

    /// Whether the last read begins like a request.
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
            if isFirst {
                firstLine = start
                hasBareLineFeed = end != nil && line.last != UInt8(ascii: "\r")
            }
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
