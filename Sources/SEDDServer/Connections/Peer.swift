import Foundation
import NIOCore

/// Whom a connection comes from, as far as connections are counted: an IPv4 address, or the 64 bits of an IPv6 network, of which one
/// host usually has all addresses.
struct Peer: Hashable, Sendable {
    private let bytes: [UInt8]

    init(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): bytes = withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            let all = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            // ::ffff:a.b.c.d is an IPv4 address that reached a socket of both families.
            let isMapped = all.prefix(10).allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
            bytes = isMapped ? Array(all.suffix(4)) : Array(all.prefix(8))
        case .unixDomainSocket, nil: bytes = []
        }
    }
}
