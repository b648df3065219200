import Files
import Foundation
import Testing
import Torch

/// CUDA kernels after the trunk, emulated, against the CPU kernels.
@Suite(.emulation)
struct HeadAndOptimizerKernelTests {
    static let vocabularies = [2, 3, 27, 1025, 5000]

    @Test(arguments: vocabularies, [Kernels.Chain.absorbing, .uniform])
    func scoreEntropy(states size: Int, chain: Kernels.Chain) throws {
        // Sigmas over the full range of the schedules, each with a state that moved and one that did not.
        let sigmas: [Double] = (0..<14).map { [1e-6, 1e-4, 0.01, 0.5, 3, 7, 20][$0 / 2] }
        let rows = sigmas.count
        let clean = (0..<rows).map { ($0 * 31 + 1) % (chain == .absorbing ? size - 1 : size) }
        let states = (0..<rows).map { row in
            row % 2 == 0 ? clean[row] : chain == .absorbing ? size - 1 : (clean[row] + 1 + row) % size
        }
        func run() throws -> (entropy: Tensor, logits: Tensor) {
            let logits = try random([rows, size], seed: 21, scale: 4)
            let entropy = try Kernels.scoreEntropy(
                logits, states: Tensor(states), clean: Tensor(clean), sigma: Tensor(sigmas),
                shift: Tensor(sigmas.map { log(expm1($0)) + 1 }), factors: Tensor((0..<rows).map { 0.1 + Double($0) }),
                chain: chain)
            return (entropy, logits)
        }
        let expected = try run()
        let found = try emulated { try run() }
        for row in 0..<rows {
            func part(_ x: Tensor) throws -> Tensor { try x.narrowed(0, from: row, length: 1).contiguous() }
            try expectClose(part(found.entropy), part(expected.entropy), 3e-6, "entropy, sigma \(sigmas[row])")
            try expectClose(part(found.logits), part(expected.logits), 3e-6, "gradient, sigma \(sigmas[row])")
        }
        let again = try emulated(.mixed) { try run() }
        try expectSame(again.entropy, found.entropy, "entropy in another order")
        try expectSame(again.logits, found.logits, "gradient in another order")
    }

    /// The rules of all predictors, one of denoising, which keeps no state, and one with negative weights.
    static let rules: [[Double]] = [
        [0.01, 0, 0, 1, -0.01], [0.5, 0, 0, 0, 0], [0.02, -1e-5, -1e-5, 0.9, -1e-4], [1, 0, -0.3, 0.2, 0],
        [1e-9, 0, 0, 1, -1e-9], [0, 0, 0, 1, 0],
    ]

    @Test(arguments: vocabularies)
    func reverseStep(states size: Int) throws {
        let uniforms = [1e-17, 0.1, 0.25, 0.5, 0.75, 0.9, 1 - 1e-16]
        let rows = uniforms.count * Self.rules.count
        let numbers = (0..<rows).flatMap { Self.rules[$0 / uniforms.count] }
        let states = (0..<rows).map { $0 * 13 % size }
        func run() throws -> (drawn: [Int], totals: [Double]) {
            try Kernels.reverseStep(
                random([rows, size], seed: 22, scale: 6), states: Tensor(states),
                shift: Tensor((0..<rows).map { Double($0 % 5) - 2 }), rules: Tensor(numbers, shape: [rows, 5]),
                uniforms: Tensor((0..<rows).map { uniforms[$0 % uniforms.count] }))
        }
        let expected = try run()
        let found = try emulated { try run() }
        for row in 0..<rows {
            #expect(
                abs(found.totals[row] - expected.totals[row]) <= 3e-6 * abs(expected.totals[row]), "total of row \(row)"
            )
            #expect(found.drawn[row] == expected.drawn[row], "row \(row)")
        }
        #expect(try emulated(.falling) { try run() } == found, "in another order")
    }

    @Test func whatCannotBeDrawnFrom() throws {
        // No positive weight; a NaN score; an infinite score; a weight only for the last state.
        let size = 2100
        var logits = [[Float]](repeating: [Float](repeating: 0, count: size), count: 4)
        logits[1][1500] = .nan
        logits[2][3] = .infinity
        logits[3] = [Float](repeating: -.infinity, count: size - 1) + [0]
        let rules: [[Double]] = [[-1, 0, 0, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 1, 0], [1, 0, 0, 0, 0]]
        func run() throws -> (drawn: [Int], totals: [Double]) {
            try Kernels.reverseStep(
                Tensor(logits.flatMap { $0 }, shape: [4, size]), states: Tensor([0, 0, 0, 5]),
                shift: Tensor([0, 0, 0, 0.0]),
                rules: Tensor(rules.flatMap { $0 }, shape: [4, 5]), uniforms: Tensor([0.5, 0.5, 0.5, 1 - 1e-16]))
        }
        let (expected, found) = (try run(), try emulated { try run() })
        #expect(expected.drawn == [-1, -1, -1, size - 1])
        #expect(found.drawn == expected.drawn)
    }

    /// States with very different weights are drawn as often as their weights require.
    @Test func theLawOfTheDraws() throws {
        let weights = [0.5, 1e-9, 0.25, 0, 0.125, 0.125 - 1e-9]
        let rows = 512
        let uniforms = (0..<rows).map { (Double($0) + 0.5) / Double(rows) }
        let drawn = try emulated {
            try Kernels.reverseStep(
                Tensor(uniforms.flatMap { _ in [0] + weights.map { Float(log($0)) } }, shape: [rows, 7]),
                states: Tensor([Int](repeating: 0, count: rows)), shift: Tensor([Double](repeating: 0, count: rows)),
                rules: Tensor(uniforms.flatMap { _ in [1, 0, 0, 0, 0.0] }, shape: [rows, 5]), uniforms: Tensor(uniforms)
            ).drawn
        }
        for (state, weight) in weights.enumerated() {
            let count = drawn.count { $0 == state + 1 }
            #expect(abs(Double(count) - weight * Double(rows)) <= 1, "state \(state + 1): \(count) draws")
        }
    }

    @Test(arguments: [1, 1000, 70_001])
    func adamW(count: Int) throws {
        let settings = Kernels.AdamW(
            rate: 1e-3, beta1: 0.9, beta2: 0.9999, epsilon: 1e-8, decay: 0.1, correction1: 1 - 0.9 * 0.9,
            correction2: 1 - 0.9999 * 0.9999, gradientScale: 0.37, averageWeight: 0.01)
        func run(_ copies: (weights: Tensor?, average: Tensor?)) throws -> [Tensor] {
            let arrays = try (0..<5).map { try random([count], seed: 30 + UInt64($0)) }
            let second = try arrays[3] * arrays[3]
            try Kernels.adamW(
                weights: arrays[0], gradient: arrays[1], moment1: arrays[2], moment2: second, average: arrays[4],
                copies: copies, settings)
            return [arrays[0], arrays[2], second, arrays[4]]
        }
        let expected = try run((nil, nil))
        let copies = try (0..<2).map { _ in try Tensor.zeros([count], dtype: .bfloat16) }
        let found = try emulated { try run((copies[0], copies[1])) }
        for (name, (found, expected)) in zip(["weights", "moment 1", "moment 2", "average"], zip(found, expected)) {
            try expectClose(found, expected, 1e-6, name)
        }
        try expectSame(copies[0], found[0].cast(to: .bfloat16), "copy of the weights")
        try expectSame(copies[1], found[3].cast(to: .bfloat16), "copy of the average")
        let without = try emulated(.mixed) { try run((nil, nil)) }
        for (found, without) in zip(found, without) {
            try expectSame(without, found, "without copies, in another order")
        }
    }

    @Test(arguments: [1, 255, 16_384, 100_001])
    func norm(count: Int) throws {
        let x = try random([count], seed: 40, scale: 1e15)
        let (expected, found) = (try Kernels.norm(x), try emulated { try Kernels.norm(x) })
        #expect(abs(found - expected) <= 1e-14 * expected)
        #expect(try emulated(.falling) { try Kernels.norm(x) } == found)
    }

    /// Targets shared by many rows; runs that end with a piece, begin with one, or fill several; and targets of one row
    /// each.
    @Test(
        arguments: [
            [], [3], [Int](repeating: 5, count: 64), [Int](repeating: 5, count: 65), [Int](repeating: 0, count: 500),
            (0..<130).map { $0 / 64 }, (0..<500).map { $0 * 7919 % 13 }, (0..<300).map { $0 % 2 == 0 ? 12 : $0 % 11 },
            (0..<200).map { $0 < 30 ? 1 : $0 < 180 ? 2 : 3 }, (0..<13).reversed(),
        ] as [[Int]], [1, 300])
    func addRows(places: [Int], width: Int) throws {
        func run() throws -> Tensor {
            let target = try random([13, width], seed: 41)
            let rows = try random([places.count, width], seed: 42)
            try Kernels.addRows(target, rows, at: Tensor(places))
            return target
        }
        guard !places.isEmpty else {
            return try expectSame(run(), random([13, width], seed: 41), "no rows")
        }
        let found = try emulated { try run() }
        try expectClose(found, run(), 2e-6, "rows that meet add up")
        try expectSame(emulated(.mixed) { try run() }, found, "in another order")
    }

    @Test func aFaultIsTold() throws {
        // The emulation refuses what a GPU would silently accept.
        let error = #expect(throws: TorchError.self) {
            _ = try emulated { try Kernels.biasGelu(Tensor.zeros([2, 3]), bias: Tensor.zeros([4])) }
        }
        #expect(error?.description.contains("bias has 4 elements, expected 3") == true, "\(String(describing: error))")
    }
}
