import Testing

/// Philox4x32-10 as in its paper, one round at a time (Salmon et al. 2011), for comparison with the fused kernel.
enum PhiloxReference {
    static func words(_ counter: [UInt32], key: UInt64) -> [UInt32] {
        var (r0, l0, r1, l1) = (counter[0], counter[1], counter[2], counter[3])
        var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(key >> 32))
        for round in 0..<10 {
            if round > 0 {
                k0 &+= 0x9E37_79B9
                k1 &+= 0xBB67_AE85
            }
            let first = r0.multipliedFullWidth(by: 0xD251_1F53)
            let second = r1.multipliedFullWidth(by: 0xCD9E_8D57)
            (r0, l0, r1, l1) = (second.high ^ l0 ^ k0, second.low, first.high ^ l1 ^ k1, first.low)
        }
        return [r0, l0, r1, l1]
    }

    /// The 16-bit number that decides whether a channel is dropped.
    static func lane(channel: Int, position: Int, sequence: UInt32, step: UInt64, key: UInt64) -> UInt32 {
        let counter = [UInt32(channel / 8), UInt32(position), sequence, UInt32(truncatingIfNeeded: step)]
        let word = words(counter, key: key)[channel % 8 / 2]
        return channel % 2 == 0 ? word & 0xFFFF : word >> 16
    }

    /// Factors [sequences, length, width]: 0 or 1 / (1 - the probability).
    static func mask(
        sequences: [UInt32], length: Int, width: Int, key: UInt64, step: UInt64, drop: Double
    ) -> [Double] {
        let threshold = (drop * 65536).rounded()
        let kept = Double(Float(1 / (1 - threshold / 65536)))
        return sequences.flatMap { sequence in
            (0..<length * width).map { place in
                let lane = lane(
                    channel: place % width, position: place / width, sequence: sequence, step: step, key: key)
                return Double(lane) < threshold ? 0 : kept
            }
        }
    }
}

/// The published vectors of Random123 (`kat_vectors`, philox4x32 with 10 rounds).
@Suite struct PhiloxReferenceTests {
    @Test(
        arguments: [
            (
                [0, 0, 0, 0], 0, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
            ),
            (
                [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], 0xffff_ffff_ffff_ffff,
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], 0x299f_31d0_a409_3822,
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
            ),
        ] as [([UInt32], UInt64, [UInt32])])
    func knownAnswers(counter: [UInt32], key: UInt64, expected: [UInt32]) {
        #expect(PhiloxReference.words(counter, key: key) == expected)
    }
}
