/// The checksum of zip records: CRC-32 (ISO 3309), reflected, eight bytes at a time by tables ("slicing by eight", Intel 2006).
struct CRC32 {
    private static let tables: [[UInt32]] = {
        var tables = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: 8)
        for index in 0..<256 {
            var value = UInt32(index)
            for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
            tables[0][index] = value
        }
        for index in 0..<256 {
            for slice in 1..<8 {
                let last = tables[slice - 1][index]
                tables[slice][index] = last >> 8 ^ tables[0][Int(last & 0xFF)]
            }
        }
        return tables
    }()

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value = ~UInt32(0)
        let flat = tables.flatMap { $0 }
        flat.withUnsafeBufferPointer { table in
            bytes.withUnsafeBytes { bytes in
                var place = 0
                while place + 8 <= bytes.count {
                    let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                    let low = UInt32(truncatingIfNeeded: word) ^ value
                    let high = UInt32(truncatingIfNeeded: word >> 32)
                    value = table[7 << 8 | Int(low & 0xFF)] ^ table[6 << 8 | Int(low >> 8 & 0xFF)]
                    value ^= table[5 << 8 | Int(low >> 16 & 0xFF)] ^ table[4 << 8 | Int(low >> 24)]
                    value ^= table[3 << 8 | Int(high & 0xFF)] ^ table[2 << 8 | Int(high >> 8 & 0xFF)]
                    value ^= table[1 << 8 | Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                    place += 8
                }
                while place < bytes.count {
                    value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[place])]
                    place += 1
                }
            }
        }
        return ~value
    }
}
