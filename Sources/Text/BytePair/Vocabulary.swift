import Files

/// A byte-pair vocabulary: id to bytes, and bytes to id while loading.
struct Vocabulary: Sendable {
    /// Maximum number of ids, which share 64 bits with another id and a rank in the merge table.
    static let greatestCount = 1 << 20 - 1

    /// The concatenated bytes of all tokens; token i is `bytes[offsets[i]..<offsets[i + 1]]`.
    private(set) var bytes: [UInt8] = []
    private(set) var offsets: [Int32] = [0]

    var count: Int { offsets.count - 1 }

    /// - Parameters:
    ///   - tokens: bytes in id order, at most `Int32.max` in total.
    init(_ tokens: [[UInt8]]) {
        for token in tokens {
            bytes += token
            offsets.append(Int32(bytes.count))
        }
    }

    /// The bytes of a token.
    subscript(id: Int) -> ArraySlice<UInt8> { bytes[Int(offsets[id])..<Int(offsets[id + 1])] }

    /// Reads `vocab.json` (or `encoder.json`).
    /// - Throws: `invalidData` if it is not JSON, or ids are not 0, 1, ..., n - 1, each once.
    init(json: [UInt8], source: String) throws(TextError) {
        // Offsets have 32 bits; GPT-2's file has about one megabyte.
        guard json.count <= Int(Int32.max) else {
            throw TextError(
                .invalidData, "\(json.count) bytes, too many for a vocabulary", source: source,
                remedy: "name the folder of a GPT-2 vocabulary")
        }
        var tokens: [UInt8] = []
        tokens.reserveCapacity(json.count)
        var starts: [Int] = [0]
        var ids: [Int] = []
        try json.withUnsafeBufferPointer { buffer throws(TextError) in
            do throws(TextError) {
                try UTF8Bytes.validate(buffer)
            } catch {
                throw error.located(in: source)
            }
            var parser = VocabularyParser(buffer, source: source)
            try parser.forEach { token, id throws(TextError) in
                if !ByteAlphabet.append(token, to: &tokens) { tokens.append(contentsOf: token) }
                starts.append(tokens.count)
                ids.append(id)
            }
        }
        guard !ids.isEmpty, ids.count <= Self.greatestCount else {
            throw TextError(
                .invalidData, "\(ids.count) tokens; expected 1 to \(Self.greatestCount)", source: source,
                remedy: "name the folder of a GPT-2 vocabulary")
        }
        let order = try Self.order(of: ids) {
            String(decoding: tokens[starts[$0]..<starts[$0 + 1]], as: UTF8.self)
        } source: {
            source
        }
        bytes.reserveCapacity(tokens.count)
        offsets.reserveCapacity(ids.count + 1)
        for entry in order {
            bytes.append(contentsOf: tokens[starts[entry]..<starts[entry + 1]])
            offsets.append(Int32(bytes.count))
        }
    }

    /// The indices of ids 0, 1, ... in `ids`.
    private static func order(
        of ids: [Int], token: (Int) -> String, source: () -> String
    ) throws(TextError) -> [Int] {
        var order = [Int](repeating: -1, count: ids.count)
        for (entry, id) in ids.enumerated() {
            guard id < ids.count else {
                throw TextError(
                    .invalidData,
                    "token '\(token(entry))' has id \(id), but there are \(ids.count) tokens; "
                        + "expected ids 0 to \(ids.count - 1) without gaps", source: source(),
                    remedy: "download the file again")
            }
            guard order[id] < 0 else {
                throw TextError(
                    .invalidData, "tokens '\(token(order[id]))' and '\(token(entry))' have the same id \(id)",
                    source: source(), remedy: "download the file again")
            }
            order[id] = entry
        }
        return order
    }
}

/// An open-addressing hash table from bytes to ids, used while the merges are read.
struct VocabularyIndex: Sendable {
    private let vocabulary: Vocabulary
    private var slots: [Int32]
    private let mask: Int

    /// - Parameter includes: which ids can be found.
    /// - Throws: `invalidData` if two of them have the same bytes.
    init(
        _ vocabulary: Vocabulary, source: String, includes: (Int) -> Bool = { _ in true }
    ) throws(TextError) {
        self.vocabulary = vocabulary
        let capacity = (vocabulary.count * 2).nextPowerOfTwo
        mask = capacity - 1
        slots = [Int32](repeating: -1, count: capacity)
        for id in 0..<vocabulary.count where includes(id) {
            let range = Int(vocabulary.offsets[id])..<Int(vocabulary.offsets[id + 1])
            let (found, slot) = vocabulary.bytes.withUnsafeBufferPointer { bytes in
                find(UnsafeBufferPointer(rebasing: bytes[range]))
            }
            guard found < 0 else {
                throw TextError(
                    .invalidData,
                    "ids \(found) and \(id) are the same token "
                        + "'\(String(decoding: vocabulary.bytes[range], as: UTF8.self))'", source: source,
                    remedy: "download the file again")
            }
            slots[slot] = Int32(id)
        }
    }

    /// The id of a token, nil if there is none.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int32? {
        let found = find(token).id
        return found < 0 ? nil : found
    }

    private func find(_ token: UnsafeBufferPointer<UInt8>) -> (id: Int32, slot: Int) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in token { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        var slot = Int(truncatingIfNeeded: hash ^ hash >> 32) & mask
        while slots[slot] >= 0 {
            let id = Int(slots[slot])
            let start = Int(vocabulary.offsets[id])
            if Int(vocabulary.offsets[id + 1]) - start == token.count,
                token.indices.allSatisfy({ vocabulary.bytes[start + $0] == token[$0] })
            {
                return (slots[slot], slot)
            }
            slot = (slot + 1) & mask
        }
        return (-1, slot)
    }
}

extension Int {
    /// The smallest power of two that is at least this number.
    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
