import Files
import Foundation
import Testing
import Torch

/// Invalid arguments of fused kernels: nothing outside the tensors is read or written.
@Suite struct TransformerKernelErrorTests {
    private let x: Tensor
    private let modulation: Tensor
    private let weight: Tensor

    init() throws {
        x = try Tensor.zeros([6, 4])
        modulation = try Tensor.zeros([2, 12])
        weight = try Tensor.zeros([4])
    }

    private func attention(heads: Int = 1, positions: Int = 3, sine: Tensor? = nil) throws -> Tensor {
        let table = try Tensor.zeros([positions, 2])
        return try Kernels.Attention(cosine: table, sine: sine ?? table, heads: heads).forward(Tensor.zeros([6, 12]))
            .out
    }

    @Test func shapesThatDoNotFit() throws {
        func norm(_ shift: Int, _ scale: Int, weight: Tensor? = nil) -> Kernels.ModulatedNorm {
            .init(weight: weight ?? self.weight, shiftPart: shift, scalePart: scale, epsilon: 1e-5)
        }
        let residual = Kernels.GatedResidual(bias: nil, gatePart: 0, dropout: nil)
        let table: [(name: String, body: () throws -> Void)] = [
            ("a part outside", { _ = try norm(0, 3).forward(x, modulation) }),
            ("a negative part", { _ = try norm(-1, 0).forward(x, modulation) }),
            ("a weight of another width", { _ = try norm(0, 1, weight: Tensor.zeros([5])).forward(x, modulation) }),
            ("rows of no whole sequences", { _ = try norm(0, 1).forward(Tensor.zeros([5, 4]), modulation) }),
            ("no sequences", { _ = try norm(0, 1).forward(x, Tensor.zeros([0, 12])) }),
            ("rows of another rank", { _ = try norm(0, 1).forward(x.reshaped([2, 3, 4]), modulation) }),
            ("rows of another type", { _ = try norm(0, 1).forward(x.cast(to: .float64), modulation) }),
            ("rows out of order", { _ = try norm(0, 1).forward(Tensor.zeros([4, 6]).transposed(0, 1), modulation) }),
            ("a branch of another size", { _ = try residual.forward(x, branch: Tensor.zeros([5, 4]), modulation) }),
            (
                "a bias of another width",
                {
                    _ = try Kernels.GatedResidual(bias: Tensor.zeros([3]), gatePart: 0, dropout: nil)
                        .forward(x, branch: x, modulation)
                }
            ),
            ("gelu's bias", { _ = try Kernels.biasGelu(x, bias: Tensor.zeros([3])) }),
            (
                "gelu's gradient",
                { _ = try Kernels.biasGeluBackward(Tensor.zeros([5, 4]), u: x, bias: weight, biasGradient: weight) }
            ),
            ("heads that do not divide", { _ = try attention(heads: 5) }),
            ("no heads", { _ = try attention(heads: 0) }),
            ("rows of no whole sequences", { _ = try attention(positions: 4) }),
            ("a table of nothing", { _ = try attention(positions: 0) }),
            ("sines of another count", { _ = try attention(sine: Tensor.zeros([2])) }),
            (
                "an attended array of another size",
                {
                    _ = try Kernels.Attention(cosine: Tensor.zeros([3, 2]), sine: Tensor.zeros([3, 2]), heads: 1)
                        .backward(
                            x, joint: Tensor.zeros([6, 12]), out: Tensor.zeros([5, 4]), logSums: Tensor.zeros([6]))
                }
            ),
            ("rows' target", { try Kernels.addRows(Tensor.zeros([3, 5]), x, at: Tensor([0, 1, 2, 0, 1, 2])) }),
            ("rows' count", { try Kernels.addRows(Tensor.zeros([3, 4]), x, at: Tensor([0, 1])) }),
            ("a number as an index", { try Kernels.addRows(Tensor.zeros([3, 4]), x, at: Tensor.zeros([6])) }),
        ]
        for (name, body) in table { expectError(.value, [], name, body) }
        let target = try Tensor.zeros([3, 4])
        for places in [[0, 1, 2, 0, 1, 3], [0, 1, 2, 0, 1, -1], [0, 1, 2, 0, 1, Int.max]] {
            expectError(.index, ["add rows:", "0..<3"], "\(places)") {
                try Kernels.addRows(target, Tensor.full([6, 4], 1), at: Tensor(places))
            }
        }
        #expect(try target.sum().item() == 0, "nothing was added before the fault was found")
    }

    // A batch of two sequences requires two names: with one, the second would be read past the end of the array.
    @Test(arguments: [0, 1, 3])
    func dropoutOfAnotherBatch(count: Int) throws {
        let dropout = Kernels.Dropout(share: 0.5, key: 1, step: 1, sequences: [UInt32](repeating: 0, count: count))
        let residual = Kernels.GatedResidual(bias: nil, gatePart: 0, dropout: dropout)
        #expect(throws: TorchError.self) { try residual.forward(x, branch: x, modulation) }
    }

    @Test(arguments: [1, 1.5, -0.5, .nan])
    func impossibleShares(share: Double) throws {
        let dropout = Kernels.Dropout(share: share, key: 1, step: 1, sequences: [0, 1])
        let residual = Kernels.GatedResidual(bias: nil, gatePart: 0, dropout: dropout)
        #expect(throws: TorchError.self) { try residual.forward(x, branch: x, modulation) }
    }

    // It may terminate the process, so a child process tries.
    @Test func rowsOfNothing() async {
        await #expect(processExitsWith: .success) {
            do {
                let (nothing, bias) = try (Tensor.zeros([0, 4]), Tensor.full([4], 7))
                _ = try Kernels.biasGeluBackward(
                    nothing, u: Tensor.zeros([0, 4]), bias: Tensor.zeros([4]), biasGradient: bias)
                exit(try bias.array(Float.self) == [7, 7, 7, 7] ? EXIT_SUCCESS : 3)
            } catch {
                exit(EXIT_SUCCESS)
            }
        }
    }
}
