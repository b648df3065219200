import Files
import Foundation
import Testing
import Torch

/// Backward passes against central differences in float64, and where gradients are accumulated.
@Suite struct GradientTests {
    private let one: Tensor

    init() throws { one = try Tensor([1.0], shape: []) }

    /// A typical block: layer norm, three projections, attention, a projection, GELU.
    private struct Block {
        static let shapes = [
            ("x", [2, 3, 8]), ("norm", [8]), ("query", [8, 8]), ("key", [8, 8]), ("value", [8, 8]), ("bias", [8]),
            ("out", [4, 8]),
        ]
        var values: [[Double]]
        let probe: Tensor

        init() throws {
            var random = Random(state: 3)
            values = Self.shapes.map { random.numbers($0.1.reduce(1, *)) }
            probe = try Tensor(random.numbers(2 * 3 * 4), shape: [2, 3, 4])
        }

        func tensors() throws -> [Tensor] {
            try zip(values, Self.shapes).map { try Tensor($0, shape: $1.1) }
        }

        func callAsFunction(_ p: [Tensor]) throws -> Tensor {
            let h = try p[0].layerNorm(p[1], epsilon: 1e-5)
            func heads(_ x: Tensor) throws -> Tensor { try x.reshaped([2, 3, 2, 4]).transposed(1, 2) }
            let mixed = try Tensor.attention(
                query: heads(h.linear(p[2], p[5])), key: heads(h.linear(p[3])), value: heads(h.linear(p[4])))
            let y = try mixed.transposed(1, 2).reshaped([2, 3, 8]).linear(p[6]).gelu()
            return try (y * probe).sum()
        }
    }

    @Test(arguments: Block.shapes.indices)
    func blockAgreesWithDifferences(parameter: Int) throws {
        var block = try Block()
        let tensors = try block.tensors()
        for tensor in tensors { try tensor.requireGradient() }
        try block(tensors).backward(one)
        let found: [Double] = try #require(try tensors[parameter].gradient).array()
        let step = 1e-5
        let expected = try found.indices.map { index in
            let middle = block.values[parameter][index]
            defer { block.values[parameter][index] = middle }
            block.values[parameter][index] = middle + step
            let above = try block(block.tensors()).item()
            block.values[parameter][index] = middle - step
            return try (above - block(block.tensors()).item()) / (2 * step)
        }
        #expect(found.contains { abs($0) > 1e-3 }, "the probe reaches the parameter")
        expectClose(found, expected, absolute: 2e-8, relative: 1e-7, Block.shapes[parameter].0)
    }

    @Test func elementwiseDerivatives() throws {
        let x = [-1.5, -0.25, 0.5, 2]
        let table: [(name: String, body: (Tensor) throws -> Tensor, derivative: (Double) -> Double)] = [
            ("square", { try $0 * $0 }, { 2 * $0 }),
            ("reciprocal", { try $0 / ($0 * $0) }, { -1 / ($0 * $0) }),
            ("exp", { try $0.exp() }, { exp($0) }),
            ("expm1", { try $0.expm1() }, { exp($0) }),
            ("log of square", { try ($0 * $0).log() }, { 2 / $0 }),
            ("log1p of square", { try ($0 * $0).log1p() }, { 2 * $0 / (1 + $0 * $0) }),
            ("sin cos", { try $0.sin() * $0.cos() }, { cos(2 * $0) }),
            ("clamp", { try $0.clamped(minimum: 0) }, { $0 > 0 ? 1 : 0 }),
            ("magnitude", { try $0.magnitude() }, { $0 > 0 ? 1 : -1 }),
            (
                "silu", { try $0.silu() },
                { (1 / (1 + exp(-$0))) * (1 + $0 * (1 - 1 / (1 + exp(-$0)))) }
            ),
        ]
        for (name, body, derivative) in table {
            let tensor = try Tensor(x)
            try tensor.requireGradient()
            try body(tensor).sum().backward(one)
            let found: [Double] = try #require(try tensor.gradient).array()
            expectClose(found, x.map(derivative), absolute: 1e-13, relative: 1e-13, name)
        }
    }

    @Test func rowsThatAreUsedTwiceAddUp() throws {
        let table = try Tensor([1.0, 2, 3, 4, 5, 6], shape: [3, 2])
        try table.requireGradient()
        try table.embedding(Tensor([2, 0, 2])).sum().backward(one)
        #expect(try table.gradient?.array(Double.self) == [1, 1, 0, 0, 2, 2])
    }

    @Test func accumulationAddsIntoTheStorage() throws {
        let flat = try Tensor([100.0, 100, 100, 100, 100])
        let storage = try flat.narrowed(0, from: 1, length: 3)
        let weight = try Tensor([1.0, 2, 3])
        try weight.requireGradient()
        try weight.accumulateGradient(into: storage)
        try (weight * weight).sum().backward(one)
        #expect(try flat.array(Double.self) == [100, 102, 104, 106, 100])
        try (weight * 10).sum().backward(one)
        #expect(try flat.array(Double.self) == [100, 112, 114, 116, 100], "a second pass adds")
        try storage.zeroInPlace()
        try weight.sum().backward(one)
        #expect(try flat.array(Double.self) == [100, 1, 1, 1, 100], "the storage stays the gradient's")
        #expect(try weight.gradient?.array(Double.self) == [1, 1, 1])
    }

    // The storage must have the tensor's shape and type; anything else must be refused.
    @Test(
        arguments: [
            ("another count", [4], .float64), ("more rows", [2, 3], .float64), ("a number", [], .float64),
            ("another type", [3], .float32),
        ] as [(String, [Int], DType)])
    func accumulationRefuses(name: String, shape: [Int], dtype: DType) throws {
        let weight = try Tensor([1.0, 2, 3])
        try weight.requireGradient()
        let storage = try Tensor.zeros(shape, dtype: dtype)
        #expect(throws: TorchError.self, "\(name)") {
            try weight.accumulateGradient(into: storage)
            try weight.sum().backward(one)
        }
    }

    @Test func nothingIsRecordedWhereNothingAsks() throws {
        let x = try Tensor([1.0, 2])
        #expect(try x.gradient == nil)
        expectError(.engine, ["backward:", "require grad"], "backward of plain tensors") {
            try (x * x).sum().backward(one)
        }
        let weight = try Tensor([3.0, 4])
        try weight.requireGradient()
        expectError(.engine, ["backward:"], "backward of a detached tensor") {
            try (weight * x).sum().detached().backward(one)
        }
        try (weight * x).sum().backward(one)
        #expect(try x.gradient == nil, "who does not ask gets none")
        #expect(try weight.gradient?.array(Double.self) == [1, 2])
        let quiet = try Tensor([5.0])
        try quiet.requireGradient()
        try quiet.requireGradient(false)
        expectError(.engine, ["backward:"], "a request that was taken back") { try (quiet * 2).sum().backward(one) }
    }

    @Test func changesInPlaceAreNotRecorded() throws {
        let weight = try Tensor([1.0, 2])
        try weight.requireGradient()
        try weight.addInPlace(Tensor([1.0]))
        try weight.multiplyInPlace(2)
        #expect(try weight.detached().array(Double.self) == [4, 6])
        try (weight * weight).sum().backward(one)
        #expect(try weight.gradient?.array(Double.self) == [8, 12])
    }

    @Test func aWorkedOutGraphIsGone() throws {
        let weight = try Tensor([1.0])
        try weight.requireGradient()
        let loss = try weight.exp().sum()
        try loss.backward(one)
        expectError(.engine, ["backward:"], "a second pass over the same graph") { try loss.backward(one) }
    }
}
