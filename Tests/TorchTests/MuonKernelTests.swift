import Foundation
import Testing
import Torch

/// Muon by batched products and fused sweeps against Muon in float64, one matrix at a time.
@Suite struct MuonKernelTests {
    /// A matrix in rows.
    private struct Matrix {
        var rows, columns: Int
        var values: [Double]

        init(_ rows: Int, _ columns: Int, _ values: [Double]) {
            (self.rows, self.columns, self.values) = (rows, columns, values)
        }

        subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

        var transposed: Matrix {
            Matrix(columns, rows, (0..<columns).flatMap { c in (0..<rows).map { self[$0, c] } })
        }

        func times(_ other: Matrix) -> Matrix {
            var product = [Double](repeating: 0, count: rows * other.columns)
            for i in 0..<rows {
                for k in 0..<columns {
                    for j in 0..<other.columns { product[i * other.columns + j] += self[i, k] * other[k, j] }
                }
            }
            return Matrix(rows, other.columns, product)
        }

        static func sum(_ a: Double, _ x: Matrix, _ b: Double, _ y: Matrix) -> Matrix {
            Matrix(x.rows, x.columns, zip(x.values, y.values).map { a * $0 + b * $1 })
        }

        /// Keller Jordan's five steps, as published.
        func orthogonalised() -> Matrix {
            let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
            var x = Matrix(rows, columns, values.map { $0 / (norm + 1e-7) })
            if rows > columns { x = x.transposed }
            for _ in 0..<5 {
                let a = x.times(x.transposed)
                let b = Matrix.sum(-4.7750, a, 2.0315, a.times(a))
                x = Matrix.sum(3.4445, x, 1, b.times(x))
            }
            return rows > columns ? x.transposed : x
        }
    }

    /// What a step changes of one matrix.
    private struct State {
        var weights, momentum, average: Matrix

        mutating func step(_ gradient: Matrix, factor: Double, _ s: Kernels.Muon) {
            let g = Matrix(gradient.rows, gradient.columns, gradient.values.map { $0 * s.gradientScale })
            momentum = .sum(s.momentum, momentum, 1 - s.momentum, g)
            let update = Matrix.sum(1 - s.momentum, g, s.momentum, momentum).orthogonalised()
            weights = .sum(1 - s.rate * s.decay, weights, -s.rate * factor, update)
            average = .sum(1 - s.averageWeight, average, s.averageWeight, weights)
        }
    }

    private static let settings = Kernels.Muon(
        rate: 0.02, momentum: 0.95, decay: 0.1, gradientScale: 0.3, averageWeight: 0.2)

    private func numbers(_ count: Int, seed: Int, times factor: Double = 1) -> [Double] {
        var random = Random(state: UInt64(seed))
        return random.numbers(count).map { Double(Float($0 * factor)) }
    }

    private func tensor(_ matrix: Matrix) throws -> Tensor {
        try Tensor(matrix.values.map(Float.init), shape: [matrix.rows, matrix.columns])
    }

    // Square and nearly square matrices take the iteration as it is written, the others that on the Gram matrix.
    @Test(arguments: [[1, 1], [1, 9], [9, 1], [16, 16], [24, 32], [32, 24], [17, 68], [68, 17], [40, 200]])
    func followsTheFormula(_ shape: [Int]) throws {
        let (rows, columns) = (shape[0], shape[1])
        let count = 3
        func matrix(_ seed: Int) -> Matrix { Matrix(rows, columns, numbers(rows * columns, seed: seed)) }
        let zeros = Matrix(rows, columns, [Double](repeating: 0, count: rows * columns))
        var expected = (0..<count).map { State(weights: matrix($0), momentum: zeros, average: matrix($0)) }
        let held = try expected.map { try [$0.weights, zeros, $0.momentum, $0.average].map(tensor) }
        let factors = [1, 2.0.squareRoot(), 2]
        let matrices = zip(held, factors).map {
            Kernels.MuonMatrix(weights: $0[0], gradient: $0[1], momentum: $0[2], average: $0[3], factor: $1)
        }
        for step in 1...4 {
            let gradients = (0..<count).map { matrix(100 * step + $0) }
            for (arrays, gradient) in zip(held, gradients) { try arrays[1].copyInPlace(tensor(gradient)) }
            try Kernels.muon(matrices, Self.settings)
            for index in expected.indices {
                expected[index].step(gradients[index], factor: factors[index], Self.settings)
            }
        }
        for (index, (arrays, state)) in zip(held, expected).enumerated() {
            let name = "\(rows) x \(columns), matrix \(index)"
            expectClose(try arrays[0].array(), state.weights.values, absolute: 2e-6, "\(name): weights")
            expectClose(
                try arrays[2].array(), state.momentum.values, absolute: 1e-7, relative: 1e-6, "\(name): momentum")
            expectClose(try arrays[3].array(), state.average.values, absolute: 2e-6, "\(name): average")
        }
    }

    @Test(arguments: [[64, 64], [48, 192], [192, 48]])
    func singularValuesComeNearOne(_ shape: [Int]) throws {
        let count = shape[0] * shape[1]
        let u = try Tensor(numbers(count, seed: 7).map(Float.init), shape: [1] + shape)
        let x = try Kernels.orthogonalised(u).reshaped(shape)
        let gram = try shape[0] <= shape[1] ? x.matmul(x.transposed(0, 1)) : x.transposed(0, 1).matmul(x)
        let values = try gram.cast(to: .float64).symmetricEigen().values.array(Double.self).map(\.magnitude)
        for value in values { #expect(value.squareRoot() > 0.3 && value.squareRoot() < 1.25, "\(value.squareRoot())") }
        #expect(values.reduce(0, +) / Double(values.count) > 0.6)
    }

    /// A matrix of low rank, as gradients at the start of training are: rounding must not grow along the empty directions.
    @Test(arguments: [[48, 48], [48, 192], [192, 48]])
    func lowRanksStayAsTheyAre(_ shape: [Int]) throws {
        let (rows, columns) = (shape[0], shape[1])
        let left = Matrix(rows, 2, numbers(2 * rows, seed: 8)),
            right = Matrix(2, columns, numbers(2 * columns, seed: 9))
        let product = left.times(right)
        let u = try Tensor(product.values.map(Float.init), shape: [1, rows, columns])
        let rounded = Matrix(rows, columns, try u.array(Float.self).map(Double.init))
        expectClose(
            try Kernels.orthogonalised(u).array(), rounded.orthogonalised().values, absolute: 2e-5, "\(shape) of rank 2"
        )
    }

    @Test func columnsOfAWiderTensor() throws {
        let (rows, columns) = (12, 10)
        let wide = numbers(rows * 3 * columns, seed: 3)
        let arrays = try (0..<4).map { _ in try Tensor(wide.map(Float.init), shape: [rows, 3 * columns]) }
        try arrays[2].zeroInPlace()
        let parts = try (0..<3).map { part in
            let views = try arrays.map { try $0.narrowed(1, from: part * columns, length: columns) }
            return Kernels.MuonMatrix(
                weights: views[0], gradient: views[1], momentum: views[2], average: views[3], factor: 1)
        }
        try Kernels.muon(Array(parts[1...1]), Self.settings)
        let part = Matrix(
            rows, columns, (0..<rows).flatMap { row in (0..<columns).map { wide[row * 3 * columns + columns + $0] } })
        var expected = State(
            weights: part, momentum: Matrix(rows, columns, [Double](repeating: 0, count: rows * columns)), average: part
        )
        expected.step(part, factor: 1, Self.settings)
        let found: [Double] = try arrays[0].array()
        for row in 0..<rows {
            for column in 0..<3 * columns {
                let place = row * 3 * columns + column
                let isPart = column >= columns && column < 2 * columns
                let value = isPart ? expected.weights[row, column - columns] : wide[place]
                #expect(abs(found[place] - value) < (isPart ? 2e-6 : 1e-12), "row \(row), column \(column)")
            }
        }
    }

    @Test func gradientsOfNothingMoveNothing() throws {
        let zeros = try (0..<4).map { _ in try Tensor.zeros([8, 8]) }
        try zeros[0].copyInPlace(Tensor.full([], 0.5))
        var settings = Self.settings
        settings.decay = 0
        try Kernels.muon(
            [.init(weights: zeros[0], gradient: zeros[1], momentum: zeros[2], average: zeros[3], factor: 1)], settings)
        #expect(try zeros[0].array(Float.self) == [Float](repeating: 0.5, count: 64))
    }

    @Test func whatDoesNotFit() throws {
        func matrix(_ weights: Tensor, _ gradient: Tensor) throws -> Kernels.MuonMatrix {
            .init(weights: weights, gradient: gradient, momentum: gradient, average: gradient, factor: 1)
        }
        let square = try Tensor.zeros([3, 3])
        expectError(.value, ["muon:", "differ in shape"], "another shape") {
            try Kernels.muon([matrix(square, Tensor.zeros([3, 4]))], Self.settings)
        }
        expectError(.value, ["muon:", "weights 1", "float32 matrix"], "two shapes at once") {
            try Kernels.muon(
                [matrix(square, square), matrix(Tensor.zeros([3, 4]), square)], Self.settings)
        }
        expectError(.value, ["muon:", "gradients 0", "float32 matrix"], "another type") {
            try Kernels.muon([matrix(square, Tensor.zeros([3, 3], dtype: .float64))], Self.settings)
        }
        expectError(.value, ["muon:", "weights 0", "float32 matrix"], "rows that are not contiguous") {
            try Kernels.muon([matrix(Tensor.zeros([3, 5]).transposed(0, 1), Tensor.zeros([5, 3]))], Self.settings)
        }
    }
}
