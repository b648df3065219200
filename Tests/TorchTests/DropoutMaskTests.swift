import Foundation
import Testing
import Torch

private func dropoutMask(
    sequences: [UInt32], length: Int, width: Int, key: UInt64, step: UInt64, drop: Double
) throws -> Tensor {
    try Kernels.dropoutMask(
        Kernels.Dropout(share: drop, key: key, step: step, sequences: sequences), length: length, width: width)
}

/// The fused dropout mask against a plain Philox.
@Suite struct DropoutMaskTests {
    @Test(arguments: [1, 7, 8, 127, 128, 129, 200])
    func equalsTheReference(width: Int) throws {
        let sequences: [UInt32] = [3, 0, .max, 3]
        for (key, step, drop) in [
            (0, 0, 0.5), (0x0123_4567_89AB_CDEF, 1, 0.1), (.max, 4_000_000_000, 0.9), (7, 1 << 33 + 5, 0.013),
        ] as [(UInt64, UInt64, Double)] {
            let found = try dropoutMask(
                sequences: sequences, length: 5, width: width, key: key, step: step, drop: drop)
            let expected = PhiloxReference.mask(
                sequences: sequences, length: 5, width: width, key: key, step: step, drop: drop)
            #expect(try found.shape == [4, 5, width])
            expectClose(try found.array(), expected, "width \(width), key \(key), step \(step), drop \(drop)")
        }
    }

    // Thresholds on either side of a lane's value reveal it: the kernel's Philox has the published output.
    @Test func publishedAnswer() throws {
        let words: [UInt32] = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        let lanes = words.flatMap { [$0 & 0xFFFF, $0 >> 16] }
        for (channel, lane) in lanes.enumerated() {
            func dropped(_ threshold: UInt32) throws -> Bool {
                let mask = try dropoutMask(
                    sequences: [0], length: 1, width: 8, key: 0, step: 0, drop: Double(threshold) / 65536)
                return try mask.array(Double.self)[channel] == 0
            }
            #expect(try !dropped(lane), "channel \(channel) is below \(lane)")
            #expect(try dropped(lane + 1), "channel \(channel) is not below \(lane + 1)")
        }
    }

    // 5 standard deviations: over random keys a correct kernel would fail once in 1.7 million.
    @Test(arguments: [0.02, 0.1, 0.5, 0.9])
    func shareOfDropped(drop: Double) throws {
        let count = 8 * 64 * 200
        let mask: [Double] = try dropoutMask(
            sequences: Array(0..<8), length: 64, width: 200, key: 11, step: 3, drop: drop
        ).array()
        let chance = (drop * 65536).rounded() / 65536
        let share = Double(mask.count { $0 == 0 }) / Double(count)
        let deviation = (chance * (1 - chance) / Double(count)).squareRoot()
        #expect(abs(share - chance) < 5 * deviation, "share \(share), expected \(chance) ± \(deviation)")
        #expect(Set(mask).subtracting([0, Double(Float(1 / (1 - chance)))]).isEmpty, "two values and no more")
    }

    // Elements depend neither on the rest of the batch nor on the number of threads.
    @Test func independentOfTheBatch() throws {
        func mask(_ sequences: [UInt32]) throws -> [Float] {
            try dropoutMask(sequences: sequences, length: 33, width: 130, key: 5, step: 9, drop: 0.3).array()
        }
        let size = 33 * 130
        let whole = try mask([4, 1, 8, 2, 7])
        for (place, sequence) in [4, 1, 8, 2, 7].enumerated() as EnumeratedSequence<[UInt32]> {
            #expect(try mask([sequence]) == Array(whole[place * size..<(place + 1) * size]), "sequence \(sequence)")
        }
        #expect(Set([try mask([1]), try mask([2]), try mask([3])]).count == 3, "sequences differ")
        let other = try dropoutMask(sequences: [1], length: 33, width: 130, key: 5, step: 10, drop: 0.3)
        #expect(try other.array(Float.self) != mask([1]), "steps differ")
    }

    @Test func edges() throws {
        let none = try dropoutMask(sequences: [0], length: 4, width: 9, key: 1, step: 1, drop: 0)
        #expect(try none.array(Float.self) == [Float](repeating: 1, count: 36))
        #expect(try dropoutMask(sequences: [], length: 4, width: 9, key: 1, step: 1, drop: 0.5).count == 0)
        #expect(try dropoutMask(sequences: [1], length: 0, width: 9, key: 1, step: 1, drop: 0.5).count == 0)
        for drop in [1, 1.5, -0.1, .nan, .infinity] {
            expectError(.value, ["dropout mask:", "0 <= dropout < 1"], "a share of \(drop)") {
                _ = try dropoutMask(sequences: [0], length: 1, width: 1, key: 0, step: 0, drop: drop)
            }
        }
    }
}
