import Foundation
import Testing
import Torch

/// The fused optimizer step against AdamW in float64.
@Suite struct AdamWKernelTests {
    /// The arrays that a step changes.
    private struct State {
        var weights, moment1, moment2, average: [Double]

        mutating func step(_ gradient: [Double], _ s: Kernels.AdamW) {
            for i in gradient.indices {
                let g = s.gradientScale * gradient[i]
                moment1[i] = s.beta1 * moment1[i] + (1 - s.beta1) * g
                moment2[i] = s.beta2 * moment2[i] + (1 - s.beta2) * g * g
                weights[i] *= 1 - s.rate * s.decay
                weights[i] -=
                    s.rate * (moment1[i] / s.correction1) / ((moment2[i] / s.correction2).squareRoot() + s.epsilon)
                average[i] += s.averageWeight * (weights[i] - average[i])
            }
        }
    }

    private func settings(step: Int, beta2: Double, scale: Double) -> Kernels.AdamW {
        Kernels.AdamW(
            rate: 1e-2, beta1: 0.9, beta2: beta2, epsilon: 1e-8, decay: 0.1, correction1: 1 - pow(0.9, Double(step)),
            correction2: 1 - pow(beta2, Double(step)), gradientScale: scale,
            averageWeight: 1 - Double(1 + step) / Double(10 + step))
    }

    /// Runs five steps of both and compares every array.
    private func compare(
        _ name: String, beta2: Double = 0.999, scale: Double = 1, weights: [Double], gradients: (Int) -> [Double]
    ) throws {
        let zeros = [Double](repeating: 0, count: weights.count)
        var expected = State(weights: weights, moment1: zeros, moment2: zeros, average: weights)
        let arrays = try [weights, zeros, zeros, weights].map { try Tensor($0.map(Float.init)) }
        var greatest = 0.0
        for step in 1...5 {
            let gradient = gradients(step)
            greatest = gradient.map { abs($0) * scale }.reduce(greatest, max)
            let settings = settings(step: step, beta2: beta2, scale: scale)
            try Kernels.adamW(
                weights: arrays[0], gradient: Tensor(gradient.map(Float.init)), moment1: arrays[1], moment2: arrays[2],
                average: arrays[3], settings)
            expected.step(gradient, settings)
        }
        // Five steps of float32 rounding. Gradients of both signs cancel in moment 1, so its rounding is that of the
        // greatest; moments below the smallest normal number may be 0.
        let rounding = 5e-7 * greatest + 1e-37
        expectClose(try arrays[0].array(), expected.weights, absolute: 1e-7, relative: 1e-6, "\(name): weights")
        expectClose(try arrays[1].array(), expected.moment1, absolute: rounding, "\(name): moment 1")
        expectClose(try arrays[2].array(), expected.moment2, absolute: 1e-37, relative: 2e-6, "\(name): moment 2")
        expectClose(try arrays[3].array(), expected.average, absolute: 1e-7, relative: 1e-6, "\(name): average")
    }

    /// Numbers that float32 holds, so that both sides start from the same.
    private func numbers(_ count: Int, seed: Int, times factor: Double = 1) -> [Double] {
        var random = Random(state: UInt64(seed))
        return random.numbers(count).map { Double(Float($0 * factor)) }
    }

    // 40,001 elements are worked on by several threads.
    @Test(arguments: [1, 2, 3, 7, 15, 16, 17, 31, 33, 127, 1001, 40_001])
    func oddSizes(count: Int) throws {
        try compare("\(count)", weights: numbers(count, seed: 1)) { numbers(count, seed: 10 + $0) }
    }

    @Test(arguments: [0.9, 0.99, 0.999, 0.9999])
    func slowMoments(beta2: Double) throws {
        try compare("beta2 \(beta2)", beta2: beta2, weights: numbers(50, seed: 2)) { numbers(50, seed: 20 + $0) }
    }

    @Test(arguments: [1, 0.25, 1e-3, 1e-12])
    func scaledGradients(scale: Double) throws {
        try compare("scale \(scale)", scale: scale, weights: numbers(50, seed: 3)) { numbers(50, seed: 30 + $0) }
    }

    @Test(arguments: [0, 1e-30, 1e-20, 1e-8, 1e8, 1e18])
    func gradientsOfAnySize(size: Double) throws {
        try compare("gradients of \(size)", weights: numbers(50, seed: 4)) { numbers(50, seed: 40 + $0, times: size) }
    }

    @Test func hugeGradientsThatAreClipped() throws {
        try compare("clipped from 1e20", scale: 1e-20, weights: numbers(50, seed: 5)) {
            numbers(50, seed: 50 + $0, times: 1e20)
        }
    }

    @Test func whatDoesNotFit() throws {
        let three = try Tensor.zeros([3])
        let wide = try Tensor.zeros([3, 2]).selected(1, 0)
        let settings = settings(step: 1, beta2: 0.999, scale: 1)
        for (name, other, word) in try [
            ("another count", Tensor.zeros([4]), "4 elements, expected 3"), ("no row order", wide, "contiguous"),
            ("another type", Tensor.zeros([3], dtype: .float64), "float32"),
        ] {
            expectError(.value, ["adamw:", "gradient", word], name) {
                try Kernels.adamW(
                    weights: three, gradient: other, moment1: three, moment2: three, average: three, settings)
            }
            expectError(.value, ["adamw:", "average", word], name) {
                try Kernels.adamW(
                    weights: three, gradient: three, moment1: three, moment2: three, average: other, settings)
            }
        }
        #expect(try three.array(Float.self) == [0, 0, 0], "nothing was changed")
    }
}
