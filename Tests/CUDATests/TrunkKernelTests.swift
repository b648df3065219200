import Testing
import Torch

/// CUDA kernels of the trunk, emulated, against the CPU kernels.
@Suite(.emulation)
struct TrunkKernelTests {
    /// A row of one element has zero deviation: both sides divide by rounding error.
    private func decided(_ name: String, _ test: KernelCase) -> Bool {
        !(test.testDescription == "norm 1 x 1 x 1" && name == "x gradient")
    }

    @Test(arguments: KernelCase.all)
    func likeTheOnesForTheCPU(test: KernelCase) throws {
        let expected = try test.run(.float32)
        let found = try emulated { try test.run(.float32) }
        for (found, expected) in zip(found, expected) where decided(found.name, test) {
            try expectClose(found.tensor, expected.tensor, 3e-6, "\(test.testDescription): \(found.name)")
        }
    }

    @Test(arguments: KernelCase.all)
    func inAnyOrder(test: KernelCase) throws {
        let expected = try emulated(.rising) { try test.run(.float32) }
        for order in [Order.falling, .mixed] {
            for (found, expected) in zip(try emulated(order) { try test.run(.float32) }, expected) {
                try expectSame(found.tensor, expected.tensor, "\(test.testDescription), \(order): \(found.name)")
            }
        }
    }

    /// In bfloat16 a kernel rounds only what it reads and writes: from the same numbers it computes the same results,
    /// rounded once. (Attention, which libtorch computes, is compared in `TrunkTests`.)
    @Test(arguments: KernelCase.all.filter { !$0.testDescription.hasPrefix("attention") })
    func inBfloat16(test: KernelCase) throws {
        let exact = try emulated { try test.run(.float32) }
        let found = try emulated { try test.run(.bfloat16) }
        for (found, exact) in zip(found, exact) {
            let expected = try exact.tensor.cast(to: found.tensor.dtype)
            try expectSame(found.tensor, expected, "\(test.testDescription): \(found.name)")
        }
        #expect(
            try found[0].name != "y" || test.testDescription.hasPrefix("gate") || found[0].tensor.dtype == .bfloat16)
    }

    @Test func roundingToBfloat16() throws {
        // Ties round to even; overflow gives infinity; NaN stays NaN.
        let bits: [UInt32] = [
            0x3F80_8000, 0x3F81_8000, 0x3F80_8001, 0x7F7F_FFFF, 0x0000_0001, 0x8000_8000, 0x7F80_0000, 0xFF80_0000,
            0x7F80_0001, 0x7FFF_FFFF,
        ]
        let values = bits.map { Float(bitPattern: $0) }
        let (b, d) = (1, values.count)
        // x + 0 * branch leaves x; the norm's shift alone leaves the shift, rounded to y's type.
        let modulation = try Tensor(values + [Float](repeating: 0, count: d), shape: [b, 2 * d])
        let norm = Kernels.ModulatedNorm(weight: try Tensor.zeros([d]), shiftPart: 0, scalePart: 1, epsilon: 1e-5)
        let y = try emulated { try norm.forward(Tensor.zeros([b, d]), modulation, as: .bfloat16).y }
        try expectClose(y.cast(to: .float32), rounded(Tensor(values, shape: [b, d])), 0, "rounded")
    }

    @Test func extremesOfGelu() throws {
        let values: [Float] = [-.infinity, -1e20, -1e6, -100, -10, -0.0, 0, 1e-30, 10, 100, 1e6, 1e20, .nan]
        let u = try Tensor(values, shape: [1, values.count])
        let none = try Tensor.zeros([values.count])
        let expected: [Double] = try Kernels.biasGelu(u, bias: none).array()
        let found: [Double] = try emulated { try Kernels.biasGelu(u, bias: none) }.array()
        for (x, (found, expected)) in zip(values, zip(found, expected)) {
            #expect(
                found == expected || abs(found - expected) < 1e-6 || (found.isNaN && expected.isNaN), "gelu of \(x)")
        }
        let (du, again) = (try Tensor.full([1, values.count], 1), try Tensor.full([1, values.count], 1))
        _ = try Kernels.biasGeluBackward(du, u: u, bias: none, biasGradient: none)
        let zero = try Tensor.zeros([values.count])
        _ = try emulated { try Kernels.biasGeluBackward(again, u: u, bias: zero, biasGradient: zero) }
        let (slopes, expectedSlopes): ([Double], [Double]) = (try again.array(), try du.array())
        for (x, (found, expected)) in zip(values, zip(slopes, expectedSlopes)) where !x.isNaN {
            #expect(abs(found - expected) < 1e-5, "slope at \(x)")
        }
    }
}
