import Files
import Foundation
import Testing
import Torch

/// Each operator against the same computation in Swift, in float64.
@Suite struct OperatorTests {
    private let x: [Double] = [-2.5, -1, -1e-9, 0.25, 1, 3]
    private let positive: [Double] = [1e-9, 0.5, 1, 2, 10, 1e6]

    @Test func oneTensor() throws {
        let table: [(name: String, values: [Double], found: (Tensor) throws -> Tensor, expected: (Double) -> Double)] =
            [
                ("negate", x, { try -$0 }, { -$0 }),
                ("exp", x, { try $0.exp() }, { exp($0) }),
                ("expm1", x, { try $0.expm1() }, { expm1($0) }),
                ("log", positive, { try $0.log() }, { log($0) }),
                ("log1p", positive, { try $0.log1p() }, { log1p($0) }),
                ("square root", positive, { try $0.squareRoot() }, { $0.squareRoot() }),
                ("cos", x, { try $0.cos() }, { cos($0) }),
                ("sin", x, { try $0.sin() }, { sin($0) }),
                ("magnitude", x, { try $0.magnitude() }, { abs($0) }),
                ("silu", x, { try $0.silu() }, { $0 / (1 + exp(-$0)) }),
                (
                    "gelu", x, { try $0.gelu() },
                    { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) }
                ),
                ("clamp", x, { try $0.clamped(minimum: 0.1) }, { max($0, 0.1) }),
                ("add", x, { try $0 + 1.5 }, { $0 + 1.5 }),
                ("subtract", x, { try $0 - 1.5 }, { $0 - 1.5 }),
                ("multiply", x, { try $0 * 1.5 }, { $0 * 1.5 }),
                ("equals", x, { try $0.equals(1) }, { $0 == 1 ? 1 : 0 }),
                ("is finite", [1, .infinity, .nan, -.infinity], { try $0.isFinite() }, { $0.isFinite ? 1 : 0 }),
            ]
        for (name, values, found, expected) in table {
            let result = try found(Tensor(values)).array(Double.self)
            expectClose(result, values.map(expected), absolute: 1e-15, relative: 1e-14, name)
        }
    }

    @Test func twoTensors() throws {
        let (a, b) = (try Tensor(x, shape: [2, 3]), try Tensor([2.0, -4, 0.5]))
        let table: [(name: String, found: Tensor, expected: (Double, Double) -> Double)] = try [
            ("add", a + b, { $0 + $1 }), ("subtract", a - b, { $0 - $1 }), ("multiply", a * b, { $0 * $1 }),
            ("divide", a / b, { $0 / $1 }), ("equals", a.equals(b), { $0 == $1 ? 1 : 0 }),
            ("choose", a.equals(1).choose(a, b), { a, b in a == 1 ? a : b }),
        ]
        let repeated: [Double] = [2, -4, 0.5, 2, -4, 0.5]
        for (name, found, expected) in table {
            expectClose(try found.array(), zip(x, repeated).map(expected), relative: 1e-15, name)
        }
    }

    @Test func reductions() throws {
        let a = try Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3])
        #expect(try a.sum().item() == 21)
        #expect(try a.sum(0).array(Double.self) == [5, 7, 9])
        #expect(try a.sum(1, keep: true).shape == [2, 1])
        #expect(try a.mean().item() == 3.5)
        #expect(try a.maximum().item() == 6)
        #expect(try a.maximum(0).array(Double.self) == [4, 5, 6])
        #expect(try a.maximum(1, keep: true).shape == [2, 1])
        let (ordered, places) = try Tensor([2.0, 5, 2, 7], shape: [1, 4]).sorted(1, descending: true)
        #expect(try ordered.array(Double.self) == [7, 5, 2, 2])
        #expect(try places.array(Int.self) == [3, 1, 0, 2])
        #expect(try a.argmax(1).array(Int.self) == [2, 2])
        // [[2, 1], [1, 2]] has the eigenvalues 1 and 3.
        let (eigenvalues, vectors) = try Tensor([2.0, 1, 1, 2], shape: [2, 2]).symmetricEigen()
        expectClose(try eigenvalues.array(), [1, 3], absolute: 1e-14, "eigenvalues")
        expectClose(
            try vectors.transposed(0, 1).matmul(vectors).array(), [1, 0, 0, 1], absolute: 1e-14, "eigenvectors")
        #expect(throws: TorchError.self) { try a.symmetricEigen() }
        #expect(throws: TorchError.self) { try a.sorted(2) }
        #expect(throws: TorchError.self) { try a.maximum(3) }
        expectClose([try a.norm().item()], [sqrt(91)], relative: 1e-15, "norm")
        #expect(try a.cumulativeSum(1).array(Double.self) == [1, 3, 6, 4, 9, 15])
        #expect(try Tensor([true, true, false]).all().item() == 0)
        let sorted = try Tensor([1.0, 2, 2, 3])
        let values = try Tensor([0.0, 2, 5])
        #expect(try sorted.searchSorted(values, right: false).array(Int.self) == [0, 1, 4])
        #expect(try sorted.searchSorted(values, right: true).array(Int.self) == [0, 3, 4])
    }

    @Test func products() throws {
        var random = Random(state: 1)
        let (rows, inner, columns) = (5, 7, 3)
        let (a, b, bias) = (random.numbers(rows * inner), random.numbers(columns * inner), random.numbers(columns))
        // x Wᵀ + b
        var expected: [Double] = []
        for i in 0..<rows {
            for j in 0..<columns {
                var sum = bias[j]
                for k in 0..<inner { sum += a[i * inner + k] * b[j * inner + k] }
                expected.append(sum)
            }
        }
        let (x, weight) = (try Tensor(a, shape: [rows, inner]), try Tensor(b, shape: [columns, inner]))
        expectClose(try x.linear(weight, Tensor(bias)).array(), expected, absolute: 1e-14, "linear")
        let product = try x.matmul(weight.transposed(0, 1)) + Tensor(bias)
        expectClose(try product.array(), expected, absolute: 1e-14, "matmul")
        let target = try Tensor(bias.map { _ in 1.0 }, shape: [1, columns]).expanded([rows, columns]).cloned()
        try target.addTransposedProductInPlace(x.transposed(0, 1), weight.transposed(0, 1))
        let plain = expected.enumerated().map { $1 - bias[$0 % columns] + 1 }
        expectClose(try target.array(), plain, absolute: 1e-14, "add product")
    }

    @Test func inPlace() throws {
        let a = try Tensor([1.0, 2, 3])
        try a.addInPlace(Tensor([1.0]), scale: 2)
        #expect(try a.array(Double.self) == [3, 4, 5])
        try a.multiplyInPlace(-1)
        #expect(try a.array(Double.self) == [-3, -4, -5])
        try a.lerpInPlace(Tensor([1.0, 0, -1]), weight: 0.5)
        #expect(try a.array(Double.self) == [-1, -2, -3])
        try a.copyInPlace(Tensor([7] as [Int]))
        #expect(try a.array(Double.self) == [7, 7, 7])
        try a.zeroInPlace()
        #expect(try a.array(Double.self) == [0, 0, 0])
    }
}
