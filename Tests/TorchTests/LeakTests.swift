import Files
import Foundation
import Testing
import Torch

/// Every handle is freed: the memory of a long loop stays that of a short one.
@Suite(.serialized) struct LeakTests {
    /// Elements of a tensor of 1 MiB.
    private let million = 1 << 18
    /// Bytes by which resident memory may grow; one leaked tensor a round would be a hundred times that.
    private let allowed = 24 << 20

    #if os(Linux)
        private func resident() throws -> Int {
            let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            let pages = try #require(fields.dropFirst().first.flatMap { Int($0) })
            return pages * sysconf(Int32(_SC_PAGESIZE))
        }

        private func growth(_ rounds: Int, _ body: () throws -> Void) throws -> Int {
            for _ in 0..<50 { try body() }
            let before = try resident()
            for _ in 0..<rounds { try body() }
            return try resident() - before
        }

        @Test func operatorsAndViews() throws {
            let a = try Tensor.full([million], 1)
            let grown = try growth(600) {
                let sum = try (a + a) * 2
                let view = try sum.reshaped([2, -1]).selected(0, 1)
                _ = try Tensor.concatenated([view, view], dimension: 0).narrowed(0, from: 0, length: 3).array(
                    Float.self)
            }
            #expect(grown < allowed, "2400 tensors of 1 MiB left \(grown >> 20) MiB")
        }

        @Test func making() throws {
            let values = [Float](repeating: 1, count: million)
            let grown = try growth(500) {
                let made = try Tensor(values)
                _ = try values.withUnsafeBytes { try Tensor(bytes: $0, shape: [million], dtype: .float32) }
                _ = try made.bytes()
            }
            #expect(grown < allowed, "1500 copies of 1 MiB left \(grown >> 20) MiB")
        }

        @Test func errors() throws {
            let a = try Tensor.full([million], 1)
            let grown = try growth(1000) {
                let made = try a.cloned()
                #expect(throws: TorchError.self) { try made.reshaped([7, -1]).sum() }
            }
            #expect(grown < allowed, "1000 errors beside tensors of 1 MiB left \(grown >> 20) MiB")
        }

        @Test func gradients() throws {
            let weight = try Tensor.full([million], 1)
            try weight.requireGradient()
            let storage = try Tensor.zeros([million])
            try weight.accumulateGradient(into: storage)
            let one = try Tensor.full([], 1)
            let grown = try growth(300) {
                try (weight * weight).sum().backward(one)
                _ = try weight.gradient
            }
            #expect(grown < allowed, "300 backward passes over 1 MiB left \(grown >> 20) MiB")
            #expect(try storage.narrowed(0, from: 0, length: 1).item() == 700)
        }
    #endif
}
