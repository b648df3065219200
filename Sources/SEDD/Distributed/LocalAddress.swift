import Foundation

/// The address at which other machines reach this one.
enum LocalAddress {
    /// The source address of packets to `host`; nil if it is unknown, or if GLOO_SOCKET_IFNAME selects the interface.
    ///
    /// - Parameter isAlone: whether all processes are on this machine, so that a loopback address will do.
    static func toward(_ host: String, isAlone: Bool, environment: [String: String]) -> String? {
        guard environment["GLOO_SOCKET_IFNAME"] == nil else { return nil }
        let found = source(toward: host)
        guard !isAlone, let found, found.hasPrefix("127.") || found == "::1" else { return found }
        // A machine's own name often resolves to a loopback address, which others cannot reach: use that of the default route.
        return source(toward: "192.0.2.1") ?? found
    }

    /// The source address of a datagram to `host`; nothing is sent.
    private static func source(toward host: String) -> String? {
        var hints = addrinfo()
        #if os(Linux)
            hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        #else
            hints.ai_socktype = SOCK_DGRAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "9", &hints, &list) == 0 else { return nil }
        defer { freeaddrinfo(list) }
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            let descriptor = socket(entry.ai_family, entry.ai_socktype, entry.ai_protocol)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            guard connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 else { continue }
            if let name = name(of: descriptor) { return name }
        }
        return nil
    }

    private static func name(of descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &length) == 0
                    ? getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) : -1
            }
        }
        return status == 0
            ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
