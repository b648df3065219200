public import Torch

/// log p_t(y) / p_t(x) for every state y of the chosen positions; [rows, states], float32, own entry 0.
public struct LogScore: Sendable {
    public let tensor: Tensor

    /// Takes `tensor` as it is.
    public init(_ tensor: Tensor) { self.tensor = tensor }

    /// The ratios themselves.
    public func exponentiated() throws -> Score { Score(try tensor.exp()) }
}

/// p_t(y) / p_t(x) for every state y of the chosen positions; [rows, states], float32, own entry 1.
public struct Score: Sendable {
    public let tensor: Tensor

    /// Takes `tensor` as it is.
    public init(_ tensor: Tensor) { self.tensor = tensor }
}

/// The states and noise of the positions that are looked at, one entry a row.
public struct Rows: Sendable {
    /// Current states x; int64 [rows].
    public let states: Tensor
    /// Total noise; float64 [rows, 1].
    public let sigma: Tensor

    /// - Parameters:
    ///   - states: current state of each row.
    ///   - sigma: total noise of each row.
    public init(states: [Int], sigma: [Double], device: Device = .cpu) throws {
        self.states = try Tensor(states, device: device)
        self.sigma = try Tensor(sigma, shape: [sigma.count, 1], device: device)
    }
}
