/// Normalization of request targets (RFC 9112, section 3.2).
enum RequestTarget {
    /// `target` with needlessly encoded octets of its path decoded (RFC 3986, section 6.2.2.2): letters, digits,
    /// `-._~`. Others keep their encoding, which is significant: `%2F` is not a separator.
    static func normalized(_ target: String) -> String {
        guard target.utf8.contains(UInt8(ascii: "%")) else { return target }
        let bytes = Array(target.utf8)
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count
        var result: [UInt8] = []
        var place = 0
        while place < end {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < end, let high = digit(bytes[place + 1]),
                let low = digit(bytes[place + 2]), isUnreserved(16 * high + low)
            {
                result.append(16 * high + low)
                place += 3
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result + bytes[end...], as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._~".utf8.contains(byte)
        }
    }
}
