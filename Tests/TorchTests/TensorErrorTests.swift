import Files
import Foundation
import Testing
import Torch

/// Invalid operations throw an error that names the operation, in one line, and never terminate the process.
@Suite struct TensorErrorTests {
    private let a: Tensor
    private let b: Tensor
    private let index: Tensor
    private let nothing: Tensor
    private let whole: Tensor

    init() throws {
        a = try Tensor.full([2, 3], 1)
        b = try Tensor.full([2, 4], 1)
        index = try Tensor([0, 7])
        nothing = try Tensor.zeros([0])
        whole = try Tensor([1, 2, 3])
    }

    private typealias Case = (name: String, kind: TorchError.Kind, words: [String], body: () throws -> Void)

    private func run(_ table: [Case]) {
        for (name, kind, words, body) in table { expectError(kind, words, name, body) }
    }

    @Test func shapesThatDoNotFit() {
        run([
            ("add", .engine, ["add:", "size of tensor a (3)", "b (4)"], { _ = try a + b }),
            ("subtract", .engine, ["subtract:"], { _ = try a - b }),
            ("multiply", .engine, ["multiply:"], { _ = try a * b }),
            ("divide", .engine, ["divide:"], { _ = try a / b }),
            ("equal", .engine, ["equal:"], { _ = try a.equals(b) }),
            ("where", .engine, ["where:"], { _ = try a.equals(1).choose(a, b) }),
            ("matmul", .engine, ["matmul:", "2x3"], { _ = try a.matmul(b) }),
            ("linear", .engine, ["linear:"], { _ = try a.linear(b) }),
            ("linear's bias", .engine, ["linear:"], { _ = try a.linear(a, Tensor.zeros([5])) }),
            ("layer norm", .engine, ["layer norm:"], { _ = try a.layerNorm(Tensor.zeros([4]), epsilon: 1e-5) }),
            ("attention", .engine, ["attention:"], { _ = try Tensor.attention(query: a, key: b, value: b) }),
            ("reshape", .engine, ["reshape:", "[4, 2]"], { _ = try a.reshaped([4, 2]) }),
            ("reshape with two unknowns", .engine, ["reshape:"], { _ = try a.reshaped([-1, -1]) }),
            ("expand", .engine, ["expand:"], { _ = try a.expanded([2, 6]) }),
            ("concatenate", .engine, ["concatenate:"], { _ = try Tensor.concatenated([a, b], dimension: 0) }),
            ("copy", .engine, ["copy:"], { try a.copyInPlace(b) }),
            ("add in place", .engine, ["add in place:"], { try a.addInPlace(b) }),
            ("lerp", .engine, ["lerp:"], { try a.lerpInPlace(b, weight: 0.5) }),
            ("add product", .engine, ["add product:"], { try a.addTransposedProductInPlace(a, b) }),
            ("add rows", .value, ["add rows:"], { try Kernels.addRows(a, b, at: Tensor([0, 1])) }),
            ("backward", .engine, ["backward:"], { try a.backward(b) }),
        ])
    }

    @Test func placesOutsideTheirRange() {
        run([
            ("rows", .index, ["index select:"], { _ = try a.rows(index) }),
            ("rows below 0", .index, ["index select:"], { _ = try a.rows(Tensor([-1])) }),
            ("embedding", .index, ["embedding:"], { _ = try a.embedding(index) }),
            ("select", .index, ["select:", "7"], { _ = try a.selected(0, 7) }),
            ("select's dimension", .index, ["select:"], { _ = try a.selected(5, 0) }),
            ("transpose", .index, ["transpose:"], { _ = try a.transposed(0, 2) }),
            ("unsqueeze", .index, ["unsqueeze:"], { _ = try a.unsqueezed(9) }),
            ("sum", .index, ["sum:"], { _ = try a.sum(2) }),
            ("cumulative sum", .index, ["cumulative sum:"], { _ = try a.cumulativeSum(2) }),
            ("narrow's start", .index, ["narrow:"], { _ = try a.narrowed(1, from: 9, length: 1) }),
            ("narrow's length", .engine, ["narrow:"], { _ = try a.narrowed(1, from: 2, length: 9) }),
            ("narrow by less than nothing", .engine, ["narrow:"], { _ = try a.narrowed(1, from: 0, length: -1) }),
            ("gather", .engine, ["gather:", "7"], { _ = try a.gathered(1, index.reshaped([2, 1])) }),
            ("scatter", .engine, ["scatter:", "7"], { _ = try a.scattered(1, index.reshaped([2, 1]), value: 0) }),
            (
                "scatter from a tensor", .engine, ["scatter:", "7"],
                { _ = try a.scattered(1, index.reshaped([2, 1]), source: Tensor.zeros([2, 1])) }
            ),
            ("add rows", .index, ["add rows:", "7"], { try Kernels.addRows(a, Tensor.zeros([2, 3]), at: index) }),
            ("strided", .engine, ["strided:"], { _ = try a.strided([9], [1], offset: 0) }),
            (
                "strided without a stride", .value, ["strided:", "1 strides for 2"],
                { _ = try a.strided([1, 1], [1], offset: 0) }
            ),
            ("strided backwards", .engine, ["strided:"], { _ = try a.strided([2], [-1], offset: 3) }),
        ])
    }

    @Test func typesThatDoNotFit() throws {
        run([
            ("matmul", .engine, ["matmul:"], { _ = try a.matmul(Tensor.zeros([3, 2], dtype: .float64)) }),
            ("where", .engine, ["where:"], { _ = try a.choose(a, a) }),
            ("rows by a number", .engine, ["index select:"], { _ = try a.rows(Tensor([0.0, 1.0])) }),
            ("gather by a number", .engine, ["gather:"], { _ = try a.gathered(1, a) }),
            ("embedding by a number", .engine, ["embedding:"], { _ = try a.embedding(a) }),
            ("mean of whole numbers", .engine, ["mean:"], { _ = try whole.mean() }),
            ("norm of whole numbers", .engine, ["norm:"], { _ = try whole.norm() }),
            ("lerp", .engine, ["lerp:"], { try a.lerpInPlace(Tensor.zeros([2, 3], dtype: .float64), weight: 0.1) }),
            ("gradient of whole numbers", .engine, ["require gradient:"], { try whole.requireGradient() }),
            ("search sorted", .engine, ["search sorted:"], { _ = try a.searchSorted(whole, right: true) }),
        ])
        #expect(try (a + whole.cast(to: .float64)).dtype == .float64, "mixed types take the wider one")
        #expect(try a.equals(whole).dtype == .bool)
    }

    @Test func countsThatDoNotFit() {
        run([
            ("item of many", .value, ["item:", "found 6"], { _ = try a.item() }),
            ("item of none", .value, ["item:", "found 0"], { _ = try nothing.item() }),
            ("greatest of none", .engine, ["max:"], { _ = try nothing.maximum() }),
            ("select of none", .index, ["select:"], { _ = try nothing.selected(0, 0) }),
            ("concatenation of none", .value, ["concatenate:"], { _ = try Tensor.concatenated([], dimension: 0) }),
            ("reshape of none", .engine, ["reshape:"], { _ = try nothing.reshaped([0, -1]) }),
            ("a negative size", .engine, ["empty:"], { _ = try Tensor.empty([-1]) }),
            ("more than a machine can address", .outOfMemory, ["empty:"], { _ = try Tensor.empty([1 << 46]) }),
            ("more bytes than an Int can count", .engine, ["full:"], { _ = try Tensor.full([1 << 40, 1 << 40], 0) }),
            ("threads", .value, ["set threads:", "1 or more"], { try Runtime.setThreads(0) }),
        ])
    }

    @Test func emptyTensorsHaveSums() throws {
        #expect(try nothing.sum().item() == 0)
        #expect(try nothing.mean().item().isNaN)
        #expect(try nothing.all().item() == 1)
        #expect(try (nothing + 1).count == 0)
        #expect(try Tensor.zeros([2, 0]).matmul(Tensor.zeros([0, 3])).array(Float.self) == [0, 0, 0, 0, 0, 0])
    }

    @Test func anErrorLeavesTheEngineUsable() throws {
        for _ in 0..<200 { #expect(throws: TorchError.self) { try a + b } }
        #expect(try (a + a).sum().item() == 12)
    }
}
