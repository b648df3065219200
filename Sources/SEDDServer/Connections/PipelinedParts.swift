import NIOCore
import NIOHTTP1

/// Parts of requests that a client has sent ahead of the answer it waits for (RFC 9112, section 9.3.2), in order.
struct PipelinedParts {
    /// Bytes ahead at which reading stops until some have been taken; a part counts at least as much as it costs.
    static let enough = 64 << 10
    private static let costOfPart = 256

    enum Item {
        case part(HTTPServerRequestPart)
        /// Bytes that were not a request: what they are answered with.
        case fault(APIError)
    }

    private var items = CircularBuffer<Item>(initialCapacity: 0)
    private var cost = 0

    var isEmpty: Bool { items.isEmpty }
    var isFull: Bool { cost >= Self.enough }

    mutating func append(_ item: Item) {
        items.append(item)
        cost += Self.cost(of: item)
    }

    mutating func popFirst() -> Item? {
        guard let item = items.popFirst() else { return nil }
        cost -= Self.cost(of: item)
        return item
    }

    mutating func removeAll() {
        items.removeAll()
        cost = 0
    }

    private static func cost(of item: Item) -> Int {
        switch item {
        case .part(.body(let buffer)): costOfPart + buffer.readableBytes
        case .part(.head(let head)): costOfPart + head.uri.utf8.count + head.headers.count * costOfPart
        default: costOfPart
        }
    }
}
