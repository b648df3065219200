import Files

/// The byte encoding of GPT-2's vocabulary files: printable bytes are written as the character of the same code, the
/// other 68 as characters from U+0100 on, so that no token contains a space or control character.
enum ByteAlphabet {
    /// The byte encoded by each scalar below U+0144; -1 for scalars that encode none.
    static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        var next = 0x100
        for byte in 0..<256 {
            if isPrintable(byte) {
                bytes[byte] = Int16(byte)
            } else {
                bytes[next] = Int16(byte)
                next += 1
            }
        }
        return bytes
    }()

    /// The character that encodes a byte, in UTF-8.
    static func letter(_ byte: UInt8) -> [UInt8] { letters[Int(byte)] }

    private static let letters: [[UInt8]] = {
        var letters = [[UInt8]](repeating: [], count: 256)
        for (value, byte) in bytes.enumerated() where byte >= 0 {
            if let scalar = Unicode.Scalar(UInt32(value)) { letters[Int(byte)] = Array(String(scalar).utf8) }
        }
        return letters
    }()

    private static func isPrintable(_ byte: Int) -> Bool {
        (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
    }

    /// Appends the bytes encoded by a token of a vocabulary file.
    ///
    /// - Returns: false, with nothing appended, if a character encodes no byte: the token is then a special one,
    ///   written literally.
    static func append(_ token: UnsafeBufferPointer<UInt8>, to target: inout [UInt8]) -> Bool {
        guard let base = token.baseAddress else { return true }
        let before = target.count
        var index = 0
        while index < token.count {
            let (value, length) = UTF8Bytes.scalar(at: index, in: base)
            guard value < 0x144, bytes[Int(value)] >= 0 else {
                target.removeSubrange(before...)
                return false
            }
            target.append(UInt8(truncatingIfNeeded: bytes[Int(value)]))
            index += length
        }
        return true
    }
}
