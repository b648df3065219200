import Foundation
import Testing

@testable import Torch

/// The fused kernels of a transformer block, forward and backward, against plain operators with libtorch's gradients.
@Suite struct TransformerKernelTests {
    /// Sequences, positions and width of a case; not powers of two, so that remainders are covered.
    struct Size: Sendable, CustomTestStringConvertible {
        let b, l, d: Int
        var testDescription: String { "\(b) x \(l) x \(d)" }
        var rows: Int { b * l }
    }

    static let sizes = [
        Size(b: 1, l: 1, d: 1), Size(b: 2, l: 3, d: 5), Size(b: 3, l: 37, d: 70), Size(b: 1, l: 65, d: 129),
    ]

    private func random(_ shape: [Int], seed: Int) throws -> Tensor {
        var random = Random(state: UInt64(seed))
        return try Tensor(random.numbers(shape.reduce(1, *)).map(Float.init), shape: shape)
    }

    private func asking(_ tensor: Tensor) throws -> Tensor {
        let copy = try tensor.cloned()
        try copy.requireGradient()
        return copy
    }

    private func close(
        _ found: Tensor, _ expected: Tensor, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try found.shape == expected.shape, "\(what)", sourceLocation: sourceLocation)
        let values: [Double] = try expected.detached().array()
        // Sums of a few hundred float32 numbers about 1.
        let size = values.map(abs).reduce(1, max)
        expectClose(
            try found.detached().array(), values, absolute: 2e-5 * size, what, sourceLocation: sourceLocation)
    }

    /// Part `part` of a modulation [B, parts d], for every row: [R, d].
    private func part(_ modulation: Tensor, _ part: Int, _ size: Size) throws -> Tensor {
        try modulation.narrowed(1, from: part * size.d, length: size.d).unsqueezed(1)
            .expanded([size.b, size.l, size.d]).reshaped([size.rows, size.d])
    }

    @Test(arguments: sizes)
    func modulatedNorm(size: Size) throws {
        let (shape, epsilon) = ([size.rows, size.d], 1e-5)
        let (x, weight) = (try asking(random(shape, seed: 1)), try asking(random([size.d], seed: 2)))
        let modulation = try asking(random([size.b, 3 * size.d], seed: 3))
        let gradient = try random(shape, seed: 4)
        let plain =
            try x.layerNorm(weight, epsilon: epsilon) * (part(modulation, 0, size) + 1) + part(modulation, 2, size)
        try plain.backward(gradient)

        let norm = Kernels.ModulatedNorm(weight: try weight.detached(), shiftPart: 2, scalePart: 0, epsilon: epsilon)
        let (y, statistics) = try norm.forward(x.detached(), modulation.detached())
        try close(y, plain, "norm")
        let dx = try Tensor.full(shape, 10)
        let dweight = try Tensor.full([size.d], 100)
        let dmodulation = try Tensor.full([size.b, 3 * size.d], -1)
        try norm.backward(
            gradient, x: x.detached(), statistics: statistics, modulation: modulation.detached(), xGradient: dx,
            weightGradient: dweight, modulationGradient: dmodulation)
        // A row of one element has no deviation: both sides divide rounding by it.
        guard size.d > 1 else { return }
        try close(dx - 10, #require(try x.gradient), "x gradient is added to")
        try close(dweight - 100, #require(try weight.gradient), "weight gradient is added to")
        let expected = try #require(try modulation.gradient)
        for written in [0, 2] {
            let place = (from: written * size.d, length: size.d)
            try close(
                dmodulation.narrowed(1, from: place.from, length: place.length),
                expected.narrowed(1, from: place.from, length: place.length), "part \(written) is written")
        }
        let between: [Double] = try dmodulation.narrowed(1, from: size.d, length: size.d).array()
        #expect(between.allSatisfy { $0 == -1 }, "the other part is left alone")
    }

    @Test(arguments: sizes, [0, 0.3])
    func gatedResidual(size: Size, share: Double) throws {
        let shape = [size.rows, size.d]
        let (x, branch) = (try asking(random(shape, seed: 5)), try asking(random(shape, seed: 6)))
        let (bias, modulation) = (
            try asking(random([size.d], seed: 7)), try asking(random([size.b, 2 * size.d], seed: 8))
        )
        let gradient = try random(shape, seed: 9)
        let dropout = Kernels.Dropout(share: share, key: 42, step: 7, sequences: (0..<size.b).map { UInt32($0 * 3) })
        let mask = try Kernels.dropoutMask(dropout, length: size.l, width: size.d).reshaped(shape)
        let plain = try x + part(modulation, 1, size) * mask * (branch + bias)
        try plain.backward(gradient)

        let residual = Kernels.GatedResidual(
            bias: try bias.detached(), gatePart: 1, dropout: share > 0 ? dropout : nil)
        try close(residual.forward(x.detached(), branch: branch.detached(), modulation.detached()), plain, "residual")
        let dbias = try Tensor.full([size.d], 100)
        let dmodulation = try Tensor.full([size.b, 2 * size.d], -1)
        let dbranch = try residual.backward(
            gradient, branch: branch.detached(), modulation: modulation.detached(), biasGradient: dbias,
            modulationGradient: dmodulation)
        try close(dbranch, #require(try branch.gradient), "branch gradient")
        try close(dbias - 100, #require(try bias.gradient), "bias gradient is added to")
        let expected = try #require(try modulation.gradient).narrowed(1, from: size.d, length: size.d)
        try close(dmodulation.narrowed(1, from: size.d, length: size.d), expected, "the gate's part is written")

        let bare = Kernels.GatedResidual(bias: nil, gatePart: 1, dropout: nil)
        let alone = try x.detached() + part(modulation.detached(), 1, size) * branch.detached()
        try close(bare.forward(x.detached(), branch: branch.detached(), modulation.detached()), alone, "no bias")
    }

    @Test(arguments: sizes)
    func biasGelu(size: Size) throws {
        let shape = [size.rows, size.d]
        let (u, bias) = (try asking(random(shape, seed: 10) * 20), try asking(random([size.d], seed: 11)))
        let gradient = try random(shape, seed: 12)
        let plain = try (u + bias).gelu()
        try plain.backward(gradient)
        let plainU = try u.detached()
        try close(Kernels.biasGelu(plainU, bias: bias.detached()), plain, "gelu")
        let (du, dbias) = (try gradient.cloned(), try Tensor.full([size.d], 100))
        let again = try Kernels.biasGeluBackward(du, u: plainU, bias: bias.detached(), biasGradient: dbias)
        try close(again, plain, "gelu, made anew")
        try close(du, #require(try u.gradient), "u gradient")
        try close(dbias - 100, #require(try bias.gradient), "bias gradient is added to")
    }

    @Test func geluOfExtremes() throws {
        let values: [Float] = [-1e6, -1000, -100, -10, -0.0, 0, 1e-30, 10, 100, 1000, 1e6]
        let u = try Tensor(values, shape: [1, values.count])
        let found: [Double] = try Kernels.biasGelu(u, bias: Tensor.zeros([values.count])).array()
        let plain: [Double] = try Tensor(values).gelu().array()
        expectClose(found, plain, absolute: 1e-6, relative: 1e-6, "gelu of extremes")
        let gradient = try Tensor.full([1, values.count], 1)
        let none = try Tensor.zeros([values.count])
        _ = try Kernels.biasGeluBackward(gradient, u: u, bias: none, biasGradient: none)
        let slopes: [Double] = values.map { $0 < -1 ? 0 : $0 > 1 ? 1 : 0.5 }
        expectClose(try gradient.array(), slopes, absolute: 1e-5, "slopes of extremes")
    }

    // Widths and lengths that fill no vector, no block of queries and no panel of keys, and some that just do.
    @Test(
        arguments: [(1, 2, 3, 2), (2, 3, 37, 8), (1, 1, 130, 66), (2, 2, 64, 32), (1, 3, 101, 130)],
        0..<Kernels.Attention.forms)
    func attention(size: (b: Int, heads: Int, l: Int, width: Int), form: Int) throws {
        let (b, heads, l, width) = size
        let (d, half) = (heads * width, width / 2)
        let joint = try asking(random([b * l, 3 * d], seed: 13) * 2)
        let angles = try random([l, half], seed: 14) * 3
        let (cosine, sine) = (try angles.cos(), try angles.sin())
        let gradient = try random([b * l, d], seed: 18)

        let whole = try joint.reshaped([b, l, 3, heads, width])
        func part(_ i: Int) throws -> Tensor { try whole.selected(2, i) }
        func turned(_ x: Tensor) throws -> Tensor {
            let (first, second) = (
                try x.narrowed(3, from: 0, length: half), try x.narrowed(3, from: half, length: half)
            )
            let (c, s) = (try cosine.unsqueezed(1), try sine.unsqueezed(1))  // [L, 1, width / 2]
            return try Tensor.concatenated([first * c - second * s, second * c + first * s], dimension: 3)
        }
        let plain = try Tensor.attention(
            query: turned(part(0)).transposed(1, 2), key: turned(part(1)).transposed(1, 2),
            value: part(2).transposed(1, 2)
        ).transposed(1, 2).reshaped([b * l, d])
        try plain.backward(gradient)

        var attention = Kernels.Attention(cosine: cosine, sine: sine, heads: heads)
        attention.form = form
        let (out, logSums) = try attention.forward(joint.detached())
        try close(out, plain, "attention")
        let pulled = try attention.backward(gradient, joint: joint.detached(), out: out, logSums: logSums)
        try close(pulled, #require(try joint.gradient), "queries, keys and values")
    }

    @Test func addRows() throws {
        let rows = try random([500, 70], seed: 19)
        let places = (0..<500).map { $0 * 7919 % 13 }
        let (found, plain) = (try random([13, 70], seed: 20), try random([13, 70], seed: 20))
        try Kernels.addRows(found, rows, at: Tensor(places))
        // The plain reference: a matrix with a one where a row goes, times the rows.
        let chosen = (0..<13).flatMap { place in places.map { $0 == place ? Float(1) : 0 } }
        try plain.addInPlace(Tensor(chosen, shape: [13, 500]).matmul(rows))
        try close(found, plain, "rows that meet add up")
    }
}
