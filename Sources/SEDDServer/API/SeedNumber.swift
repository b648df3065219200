/// A seed in responses: the signed 64-bit integer which, sent back, reproduces the text.
struct SeedNumber: Encodable, Sendable, Equatable {
    let seed: UInt64

    init(_ seed: UInt64) { self.seed = seed }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let signed = Int64(bitPattern: seed)
        // -1 would request a new seed.
        if signed == SamplingFields.drawSeed { try container.encode(seed) } else { try container.encode(signed) }
    }
}
