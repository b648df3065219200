import Testing

@testable import SEDD

struct RandomnessTests {
    /// Known answers of Philox4x32-10 from the authors' own test vectors.
    @Test(
        arguments: [
            (UInt64(0), SIMD4<UInt32>(0, 0, 0, 0), SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
            (
                UInt64.max, SIMD4<UInt32>(repeating: .max),
                SIMD4<UInt32>(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                UInt64(0x299f_31d0_a409_3822), SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
                SIMD4<UInt32>(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ] as [(UInt64, SIMD4<UInt32>, SIMD4<UInt32>)])
    func philoxKnownAnswers(_ key: UInt64, _ counter: SIMD4<UInt32>, _ expected: SIMD4<UInt32>) {
        #expect(Philox(key: key).words(counter) == expected)
    }

    @Test func uniformsAreInsideAndEven() {
        let stream = RandomStream(seed: 9, purpose: .reverseStep)
        let values = (0..<40_000).map { stream.uniform(step: 1, sequence: 2, position: $0) }
        #expect(values.allSatisfy { $0 > 0 && $0 < 1 })
        // The mean of 40000 has a standard error of 0.00144; six of them are passed once in 5e8.
        #expect(abs(values.reduce(0, +) / 40_000 - 0.5) < 0.0087)
    }

    @Test func addressesAndPurposesDiffer() {
        var seen = Set<Double>()
        let purposes: [RandomPurpose] = [
            .initialization, .windows, .times, .corruption, .limit, .reverseStep, .evaluation,
            .dropout(block: 0, branch: 0), .dropout(block: 0, branch: 1), .dropout(block: 1, branch: 0),
        ]
        for seed in [UInt64(0), 1, 2] {
            for purpose in purposes {
                let stream = RandomStream(seed: seed, purpose: purpose)
                for step in 0..<3 {
                    for sequence in 0..<3 {
                        for position in 0..<3 {
                            for draw in 0..<2 {
                                seen.insert(
                                    stream.uniform(step: step, sequence: sequence, position: position, draw: draw))
                            }
                        }
                    }
                }
            }
        }
        #expect(seen.count == 3 * purposes.count * 54)
    }

    @Test func integersCoverTheirRange() {
        let stream = RandomStream(seed: 4, purpose: .windows)
        let values = Set((0..<500).map { stream.integer(below: 7, step: $0, sequence: 0) })
        #expect(values == Set(0..<7))
    }
}
