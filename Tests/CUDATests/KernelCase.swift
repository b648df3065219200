import Files
import Testing
import Torch

/// One pass of the trunk on given arrays, on any device: its results and accumulated gradients, by name.
struct KernelCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// - Parameter element: type of the trunk's activations; values are exact in bfloat16 in either case.
    let run: @Sendable (_ element: DType) throws -> [(name: String, tensor: Tensor)]

    /// Sequences, positions, width: odd sizes, widths below a warp and above a block, lengths of one piece and of
    /// several.
    static let sizes = [(1, 1, 1), (2, 5, 7), (3, 33, 40), (1, 70, 264), (2, 64, 600)]

    static let all: [KernelCase] =
        sizes.flatMap { b, l, d in
            [norm(b, l, d), gate(b, l, d, share: 0, bias: false), gate(b, l, d, share: 0.3, bias: true), gelu(b, l, d)]
        } + [(1, 1, 1, 2), (2, 3, 5, 6), (1, 2, 33, 64), (2, 1, 9, 34)].map(rotary)

    static func norm(_ b: Int, _ l: Int, _ d: Int) -> KernelCase {
        KernelCase(testDescription: "norm \(b) x \(l) x \(d)") { element in
            let (x, modulation) = (try random([b * l, d], seed: 1, scale: 3), try random([b, 4 * d], seed: 2))
            let pulled = try rounded(random([b * l, d], seed: 3)).cast(to: element)
            let norm = Kernels.ModulatedNorm(
                weight: try random([d], seed: 4), shiftPart: 1, scalePart: 3, epsilon: 1e-5)
            let (y, statistics) = try norm.forward(x, modulation, as: element)
            let (dx, dweight) = (try random([b * l, d], seed: 5), try random([d], seed: 6))
            let dmodulation = try Tensor.full([b, 4 * d], -1)
            let again = try norm.backward(
                pulled, x: x, statistics: statistics, modulation: modulation, xGradient: dx, weightGradient: dweight,
                modulationGradient: dmodulation)
            return [
                ("y", y), ("statistics", statistics), ("y, made anew", again), ("x gradient", dx),
                ("weight gradient", dweight), ("modulation gradient", dmodulation),
            ]
        }
    }

    static func gate(_ b: Int, _ l: Int, _ d: Int, share: Double, bias hasBias: Bool) -> KernelCase {
        KernelCase(testDescription: "gate \(b) x \(l) x \(d), dropout \(share)") { element in
            let (x, modulation) = (try random([b * l, d], seed: 7), try random([b, 3 * d], seed: 8))
            let branch = try rounded(random([b * l, d], seed: 9)).cast(to: element)
            let dropout = Kernels.Dropout(
                share: share, key: 0xABCD_EF01_2345_6789, step: 5, sequences: (0..<b).map { UInt32($0 * 7 + 3) })
            let gate = Kernels.GatedResidual(
                bias: hasBias ? try random([d], seed: 10) : nil, gatePart: 2, dropout: share > 0 ? dropout : nil)
            let dbias = hasBias ? try random([d], seed: 11) : nil
            let dmodulation = try Tensor.full([b, 3 * d], -1)
            let y = try gate.forward(x, branch: branch, modulation)
            let dbranch = try gate.backward(
                random([b * l, d], seed: 12), branch: branch, modulation: modulation, biasGradient: dbias,
                modulationGradient: dmodulation)
            return [("y", y), ("branch gradient", dbranch), ("modulation gradient", dmodulation)]
                + (dbias.map { [("bias gradient", $0)] } ?? [])
        }
    }

    static func gelu(_ b: Int, _ l: Int, _ d: Int) -> KernelCase {
        KernelCase(testDescription: "gelu \(b) x \(l) x \(d)") { element in
            let u = try rounded(random([b * l, d], seed: 13, scale: 20)).cast(to: element)
            let (bias, dbias) = (try random([d], seed: 14), try random([d], seed: 15))
            let du = try rounded(random([b * l, d], seed: 16)).cast(to: element)
            let y = try Kernels.biasGelu(u, bias: bias)
            let again = try Kernels.biasGeluBackward(du, u: u, bias: bias, biasGradient: dbias)
            return [("y", y), ("y, made anew", again), ("u gradient", du), ("bias gradient", dbias)]
        }
    }

    static func rotary(_ b: Int, _ heads: Int, _ l: Int, _ width: Int) -> KernelCase {
        KernelCase(testDescription: "attention \(b) x \(heads) x \(l) x \(width)") { element in
            let joint = try rounded(random([b * l, 3 * heads * width], seed: 17, scale: 2)).cast(to: element)
            let angles = try random([l, width / 2], seed: 18, scale: 3)
            let attention = Kernels.Attention(cosine: try angles.cos(), sine: try angles.sin(), heads: heads)
            let (out, tape) = try attention.mix(joint, recording: true)
            let pulled = try rounded(random([b * l, heads * width], seed: 19)).cast(to: element)
            guard let tape else { throw TorchError(.value, "an attention that was recorded has a tape") }
            return [
                ("out", out), ("joint gradient", try attention.backward(pulled, tape)),
                ("out, not recorded", try attention.mix(joint, recording: false).out),
            ]
        }
    }
}
