import Files
import Foundation
import Testing
import Torch

/// Creating and reading tensors, and views of them.
@Suite struct TensorTests {
    @Test(arguments: DType.allCases)
    func everyElementTypeComesBack(dtype: DType) throws {
        // Small whole numbers: every type but bool holds them exactly.
        let values: [Double] = dtype == .bool ? [0, 1, 1, 0, 1, 0] : [0, 1, 2, 100, 5, 127]
        let tensor = try Tensor(values, shape: [2, 3]).cast(to: dtype)
        #expect(try tensor.dtype == dtype)
        #expect(try tensor.shape == [2, 3])
        #expect(try tensor.count == 6)
        #expect(try tensor.device == .cpu)
        #expect(try tensor.array(Double.self) == values)
        let bytes = try tensor.bytes()
        #expect(bytes.count == 6 * dtype.width)
        let again = try bytes.withUnsafeBytes { try Tensor(bytes: $0, shape: [6], dtype: dtype) }
        #expect(try again.array(Double.self) == values)
    }

    @Test func everySwiftTypeComesBack() throws {
        let floats: [Float] = [1.5, -0.0, .infinity, .leastNonzeroMagnitude]
        #expect(try Tensor(floats).array(Float.self) == floats)
        #expect(try Tensor([Double.pi, -.infinity]).array(Double.self) == [Double.pi, -.infinity])
        #expect(try Tensor([Int.min, 0, Int.max]).array(Int.self) == [Int.min, 0, Int.max])
        #expect(try Tensor([Int64.min, .max]).array(Int64.self) == [Int64.min, .max])
        #expect(try Tensor([Int32.min, .max]).array(Int32.self) == [Int32.min, .max])
        #expect(try Tensor([0, 255] as [UInt8]).array(UInt8.self) == [0, 255])
        #expect(try Tensor([true, false]).array(Bool.self) == [true, false])
        #expect(try Tensor([Float.nan]).array(Float.self).first?.isNaN == true)
    }

    @Test(
        arguments: [
            ("a number", [], 1), ("nothing", [0], 0), ("rows of nothing", [3, 0], 0), ("rank 5", [1, 2, 1, 3, 1], 6),
        ] as [(String, [Int], Int)])
    func shapes(name: String, shape: [Int], count: Int) throws {
        let tensor = try Tensor((0..<count).map(Float.init), shape: shape)
        #expect(try tensor.shape == shape, "\(name)")
        #expect(try tensor.count == count, "\(name)")
        #expect(try tensor.array(Float.self) == (0..<count).map(Float.init), "\(name)")
        #expect(try Tensor.full(shape, 3).array(Float.self) == [Float](repeating: 3, count: count), "\(name)")
        #expect(try Tensor.zeros(shape, dtype: .int64).array(Int.self) == [Int](repeating: 0, count: count), "\(name)")
        #expect(try Tensor.empty(shape, dtype: .uint8).shape == shape, "\(name)")
    }

    @Test(
        arguments: [
            ("too few", [1, 2], [3]), ("too many", [1, 2], [1]), ("for a number", [1, 2], []), ("none", [], [2, 2]),
            ("two negative sizes", [1, 2, 3, 4], [-2, -2]), ("a negative size", [1, 2], [-2]),
        ] as [(String, [Float], [Int])])
    func wrongCounts(name: String, values: [Float], shape: [Int]) {
        #expect(throws: TorchError.self, "\(name)") { try Tensor(values, shape: shape) }
    }

    @Test func wrongByteCounts() {
        let bytes: [UInt8] = [1, 2, 3]
        expectError(.value, ["tensor", "4 bytes", "found 3"], "three bytes for a float") {
            _ = try bytes.withUnsafeBytes { try Tensor(bytes: $0, shape: [1], dtype: .float32) }
        }
    }

    // Sizes whose product overflows Int are caller values too. A trap would end this process, so a child process tries.
    @Test func hugeShapesAreErrors() async {
        await #expect(processExitsWith: .success) {
            do {
                _ = try Tensor([1, 2] as [Float], shape: [Int.max, 2])
            } catch {
                exit(EXIT_SUCCESS)
            }
            exit(EXIT_FAILURE)
        }
    }

    @Test func viewsShareElements() throws {
        let base = try Tensor((0..<6).map(Float.init), shape: [2, 3])
        let views: [(name: String, view: Tensor, expected: [Float])] = try [
            ("reshaped", base.reshaped([3, -1]), [10, 1, 2, 3, 4, 5]),
            ("transposed", base.transposed(0, 1), [10, 3, 1, 4, 2, 5]),
            ("narrowed", base.narrowed(1, from: 0, length: 2), [10, 1, 3, 4]),
            ("selected", base.selected(0, 0), [10, 1, 2]),
            ("unsqueezed", base.unsqueezed(1), [10, 1, 2, 3, 4, 5]),
            ("strided", base.strided([2, 2], [4, 1], offset: 0), [10, 1, 4, 5]),
            ("detached", base.detached(), [10, 1, 2, 3, 4, 5]),
        ]
        let copies = try [("cloned", base.cloned()), ("cast", base.cast(to: .float64))]
        try base.narrowed(1, from: 0, length: 1).selected(0, 0).copyInPlace(Tensor.full([1], 10))
        for (name, view, expected) in views { #expect(try view.array(Float.self) == expected, "\(name)") }
        for (name, copy) in copies { #expect(try copy.array(Float.self) == [0, 1, 2, 3, 4, 5], "\(name)") }
    }

    @Test func viewsOutliveTheirBase() throws {
        func view() throws -> Tensor {
            try Tensor((0..<1000).map(Float.init)).narrowed(0, from: 990, length: 10)
        }
        let kept = try view()
        for _ in 0..<50 { _ = try Tensor.full([1000], 7) }
        #expect(try kept.array(Float.self) == (990..<1000).map(Float.init))
    }

    @Test func partsOfTensors() throws {
        let base = try Tensor((0..<6).map(Float.init), shape: [2, 3])
        let index = try Tensor([2, 0])
        let pairs = try Tensor([2, 0], shape: [2, 1])
        let table: [(name: String, found: Tensor, shape: [Int], values: [Float])] = try [
            ("expand", Tensor([1, 2] as [Float], shape: [2, 1]).expanded([2, 3]), [2, 3], [1, 1, 1, 2, 2, 2]),
            ("concatenate", .concatenated([base, base], dimension: 1), [2, 6], [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]),
            ("rows", base.rows(index, dimension: 1), [2, 2], [2, 0, 5, 3]),
            ("gather", base.gathered(1, pairs), [2, 1], [2, 3]),
            ("scatter a value", base.scattered(1, pairs, value: 9), [2, 3], [0, 1, 9, 9, 4, 5]),
            (
                "scatter", base.scattered(1, pairs, source: Tensor([7, 8] as [Float], shape: [2, 1])), [2, 3],
                [0, 1, 7, 8, 4, 5]
            ),
            ("embedding", base.embedding(Tensor([1, 1, 0])), [3, 3], [3, 4, 5, 3, 4, 5, 0, 1, 2]),
            ("contiguous", base.transposed(0, 1).contiguous(), [3, 2], [0, 3, 1, 4, 2, 5]),
        ]
        for (name, found, shape, values) in table {
            #expect(try found.shape == shape, "\(name)")
            #expect(try found.array(Float.self) == values, "\(name)")
        }
        #expect(try base.array(Float.self) == [0, 1, 2, 3, 4, 5], "scatter makes a copy")
    }
}
