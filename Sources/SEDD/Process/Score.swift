public import Torch

/// log p_t(y) / p_t(x) for every state y at selected positions; float32 [rows, states], own entry 0 (section 3).
public struct LogScore: Sendable {
    /// float32 [rows, states].
    public let tensor: Tensor

    /// Wraps `tensor` without checking it.
    public init(_ tensor: Tensor) { self.tensor = tensor }

    /// The ratios themselves.
    public func exponentiated() throws -> Score { Score(try tensor.exp()) }
}

/// p_t(y) / p_t(x) for every state y at selected positions; float32 [rows, states], own entry 1.
public struct Score: Sendable {
    /// float32 [rows, states].
    public let tensor: Tensor

    /// Wraps `tensor` without checking it.
    public init(_ tensor: Tensor) { self.tensor = tensor }
}

/// States and noise levels of selected positions, one entry per row.
public struct Rows: Sendable {
    /// Current states x; int64 [rows].
    public let states: Tensor
    /// Total noise; float64 [rows, 1].
    public let sigma: Tensor
    /// The same as numbers.
    let noise: [Double]

    /// - Parameters:
    ///   - states: current state of each row.
    ///   - sigma: total noise of each row.
    public init(states: [Int], sigma: [Double], device: Device = .cpu) throws {
        self.states = try Tensor(states, device: device)
        self.sigma = try Tensor(sigma, shape: [sigma.count, 1], device: device)
        noise = sigma
    }
}
