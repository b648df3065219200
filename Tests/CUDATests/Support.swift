import CUDAEmulation
import Foundation
import Testing
import Torch

extension Trait where Self == ConditionTrait {
    /// The emulation is CPU-bound for a long time and would starve tests with timeouts in the same process, so these
    /// suites run only on request.
    static var emulation: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["SEDD_EMULATE_CUDA"] != nil,
            "emulated kernels run in a process of their own: make test-cuda")
    }
}

/// The order in which blocks and threads run; no result may depend on it.
enum Order: CaseIterable {
    case rising, falling, mixed

    var handle: EmulationOrder {
        switch self {
        case .rising: EMULATION_RISING
        case .falling: EMULATION_FALLING
        case .mixed: EMULATION_MIXED
        }
    }
}

/// Runs `body` with emulated CUDA kernels instead of the CPU kernels, and fails if none was run. The emulator belongs to this thread, so
/// the body may use no other.
func emulated<Result>(
    _ order: Order = .rising, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
) throws -> Result {
    let threads = try Runtime.threads()
    try Runtime.setThreads(1)
    defer { try? Runtime.setThreads(threads) }
    cuda_emulation_begin(order.handle)
    defer { cuda_emulation_end() }
    let result = try body()
    #expect(cuda_emulation_launches() > 0, "a kernel was launched", sourceLocation: sourceLocation)
    return result
}

/// Pseudorandom numbers in -scale..<scale, determined by `seed`.
func random(_ shape: [Int], seed: UInt64, scale: Double = 1) throws -> Tensor {
    var state = seed &* 0x9E37_79B9_7F4A_7C15
    let values = (0..<shape.reduce(1, *)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(scale * (2 * Double(state >> 11) / Double(1 << 53) - 1))
    }
    return try Tensor(values, shape: shape)
}

/// Numbers that are exact in bfloat16.
func rounded(_ x: Tensor) throws -> Tensor { try x.cast(to: .bfloat16).cast(to: .float32) }

/// Fails if the largest difference, relative to the largest expected entry, exceeds `tolerance`.
@discardableResult
func expectClose(
    _ found: Tensor, _ expected: Tensor, _ tolerance: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Double {
    let (f, e): ([Double], [Double]) = (try found.array(), try expected.array())
    guard f.count == e.count else {
        Issue.record("\(what): \(f.count) values, expected \(e.count)", sourceLocation: sourceLocation)
        return .infinity
    }
    let scale = max(e.filter(\.isFinite).map(abs).max() ?? 0, 1e-30)
    // Values that are not finite must be equal.
    let shares = zip(f, e).map { $0 == $1 || ($0.isNaN && $1.isNaN) ? 0 : abs($0 - $1) / scale }
    guard let place = shares.indices.max(by: { shares[$0] < shares[$1] || shares[$1].isNaN }) else { return 0 }
    #expect(
        shares[place] <= tolerance,
        "\(what): greatest difference at \(place): found \(f[place]), expected \(e[place]); \(shares[place]) of the largest entry",
        sourceLocation: sourceLocation)
    return shares[place]
}

/// Fails unless two tensors are bit-identical.
func expectSame(
    _ found: Tensor, _ expected: Tensor, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let (f, e) = (try found.bytes(), try expected.bytes())
    let place = zip(f, e).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    #expect(
        place == nil && f.count == e.count, "\(what): bytes differ, first at \(place.map(String.init) ?? "the end")",
        sourceLocation: sourceLocation)
}
