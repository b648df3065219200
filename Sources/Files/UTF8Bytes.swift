/// UTF-8 on raw bytes: validation, boundaries, single scalars.
package enum UTF8Bytes {
    /// The offset of the first ill-formed sequence, or nil when the bytes are valid UTF-8.
    package static func firstInvalid(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let raw = UnsafeRawPointer(base)
        let count = bytes.count
        var index = 0
        while index < count {
            // Most text is ASCII: eight bytes at a time.
            if index + 8 <= count,
                raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                index += 8
                continue
            }
            let length = wellFormedLength(at: index, in: bytes)
            if length == 0 { return index }
            index += length
        }
        return nil
    }

    /// - Throws: `invalidData` with the byte offset, unless the bytes are valid UTF-8.
    package static func validate(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileError) {
        if let offset = firstInvalid(in: bytes) { throw invalid(at: offset) }
    }

    /// The error for an ill-formed sequence at `offset`.
    package static func invalid(at offset: Int) -> FileError {
        FileError(.invalidData, "invalid UTF-8", byteOffset: offset, remedy: "convert the text to UTF-8")
    }

    /// The length of the well-formed scalar at `index`, 0 when there is none (table 3-7 of the Unicode Standard).
    @inlinable @inline(__always)
    package static func wellFormedLength(at index: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let lead = bytes[index]
        if lead < 0x80 { return 1 }
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        guard lead >= 0xC2, lead <= 0xF4, index + length <= bytes.count else { return 0 }
        let second = bytes[index + 1]
        let lowest: UInt8 = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
        let highest: UInt8 = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
        guard second >= lowest, second <= highest else { return 0 }
        for position in 2..<4 where position < length && !isContinuation(bytes[index + position]) { return 0 }
        return length
    }

    /// The scalar that starts at `index` of valid UTF-8, and its length in bytes.
    @inlinable @inline(__always)
    package static func scalar(at index: Int, in base: UnsafePointer<UInt8>) -> (value: UInt32, length: Int) {
        let lead = UInt32(base[index])
        if lead < 0x80 { return (lead, 1) }
        let second = UInt32(base[index + 1] & 0x3F)
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | second, 2) }
        let third = UInt32(base[index + 2] & 0x3F)
        if lead < 0xF0 { return ((lead & 0x0F) << 12 | second << 6 | third, 3) }
        return ((lead & 0x07) << 18 | second << 12 | third << 6 | UInt32(base[index + 3] & 0x3F), 4)
    }

    /// End of the last complete scalar: a cut there splits no scalar.
    ///
    /// Ill-formed bytes are kept, so that the reader of the prefix reports them.
    package static func lastBoundary(in bytes: UnsafeBufferPointer<UInt8>) -> Int {
        let count = bytes.count
        for back in 1..<4 where back <= count {
            let byte = bytes[count - back]
            if isContinuation(byte) { continue }
            let length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return length > back ? count - back : count
        }
        return count
    }

    @inlinable @inline(__always)
    /// Whether the byte continues a scalar.
    package static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// A scalar as shown in messages: `U+00E9 'é'`.
    package static func name(of value: UInt32) -> String {
        let hexadecimal = String(value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - hexadecimal.count)) + hexadecimal
        guard let scalar = Unicode.Scalar(value) else { return "U+\(padded)" }
        // Control characters and line ends would break the message.
        return "U+\(padded) '\(scalar.escaped(asASCII: scalar.properties.generalCategory == .control))'"
    }
}
