import NIOCore
import NIOHTTP1

/// Parts of pipelined requests (RFC 9112, section 9.3.2) that wait for earlier responses, in order.
struct PipelinedParts {
    /// Buffered bytes at which reading pauses; a part counts at least its memory cost.
    static let enough = 64 << 10
    private static let costOfPart = 256

    enum Item {
        case part(HTTPServerRequestPart)
        /// Malformed input: the response to it.
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
