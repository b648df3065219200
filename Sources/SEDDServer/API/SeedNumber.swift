/// A seed as answers tell it: as the signed number of 64 bits that clients send, and that gives the same text again.
struct SeedNumber: Encodable, Sendable, Equatable {
    let seed: UInt64

    init(_ seed: UInt64) { self.seed = seed }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let signed = Int64(bitPattern: seed)
        // -1 would draw another.
        if signed == SamplingFields.drawSeed { try container.encode(seed) } else { try container.encode(signed) }
    }
}
