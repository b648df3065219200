import Testing

@testable import Torch

/// The step with libtorch's operators, for other devices, against the CPU kernel.
@Suite struct AdamWPlainTests {
    @Test(arguments: [0.25, 1])
    func equalsTheSweep(scale: Double) throws {
        let count = 1003
        var random = Random(state: 5)
        let start = random.numbers(count).map(Float.init)
        func arrays() throws -> [Tensor] {
            [try Tensor(start), try Tensor.zeros([count]), try Tensor.zeros([count]), try Tensor(start)]
        }
        let (swept, plain) = (try arrays(), try arrays())
        for step in 1...5 {
            let gradient = try Tensor(random.numbers(count).map(Float.init))
            let settings = Kernels.AdamW(
                rate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.1,
                correction1: 1 - (1...step).reduce(1) { product, _ in product * 0.9 },
                correction2: 1 - (1...step).reduce(1) { product, _ in product * 0.999 }, gradientScale: scale,
                averageWeight: 0.2)
            try Kernels.adamW(
                weights: swept[0], gradient: gradient, moment1: swept[1], moment2: swept[2], average: swept[3], settings
            )
            try Kernels.adamWPlain(
                weights: plain[0], gradient: gradient, moment1: plain[1], moment2: plain[2], average: plain[3], settings
            )
        }
        for (place, name) in ["weights", "first moment", "second moment", "average"].enumerated() {
            expectClose(try swept[place].array(), try plain[place].array(), absolute: 2e-6, name)
        }
        #expect(try swept[0].array(Float.self) != start, "the weights have moved")
    }
}
