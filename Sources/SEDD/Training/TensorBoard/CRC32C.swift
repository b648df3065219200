/// The Castagnoli cyclic redundancy check that guards every part of an event file.
enum CRC32C {
    /// The remainder of each byte value, reflected: the polynomial 0x1EDC6F41 read from its lowest bit upwards.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { remainder, _ in
            remainder & 1 == 0 ? remainder >> 1 : (remainder >> 1) ^ 0x82F6_3B78
        }
    }

    /// The checksum of `bytes`, 0xE3069283 for the nine ASCII digits "123456789".
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let table = table
        var remainder = UInt32.max
        for byte in bytes {
            remainder = (remainder >> 8) ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)]
        }
        return ~remainder
    }

    /// The checksum in the form that record files store.
    ///
    /// A checksum over bytes that contain their own checksum degenerates, and a record may contain another record; the
    /// rotation and the constant distinguish the stored value from the plain one.
    static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let checksum = checksum(bytes)
        return ((checksum >> 15) | (checksum << 17)) &+ 0xA282_EAD8
    }
}
