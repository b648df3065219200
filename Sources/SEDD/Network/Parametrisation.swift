import Foundation
import Torch

/// The meaning of the outputs of a network's head.
public enum Parametrisation: String, Sendable, Codable, CaseIterable {
    /// Log-scores log p_t(y) / p_t(x), up to the shift of `scale_by_sigma` (SEDD, arXiv 2310.16834).
    case score
    /// Logits of the law of the clean token at each position, given the states at the others (MDLM, arXiv 2406.07524;
    /// RADD, 2406.03736; Duo, 2506.10892). Under absorption the law excludes MASK, and an unmasked position carries its
    /// token over.
    case cleanToken
}

/// How a network is conditioned on the noise.
public enum Conditioning: String, Sendable, Codable, CaseIterable {
    /// Total noise sigma, by adaLN in every block.
    case sigma
    /// A constant: the adaLN layers are there, but sigma is held at 0 (MDLM, BD3-LM).
    case zero
    /// Nothing: no layers on sigma; layer norms have biases instead of adaLN's shifts (RADD).
    case none

    /// Whether the network's output is a function of the states alone.
    public var isTimeFree: Bool { self != .sigma }

    /// The noise levels that the network is given in place of `sigma`.
    func seen(_ sigma: [Double]) -> [Double] { self == .sigma ? sigma : sigma.map { _ in 0 } }
}

/// Outputs of the head for M rows as scores: log s_y = `logits`_y - `shift` for every y other than the row's own state,
/// in the form that kernels read.
struct RowScores {
    /// float32 [M, V].
    let logits: Tensor
    /// float64 [M].
    let shift: Tensor
    /// For gradients under the uniform chain: the law of the clean token [M, V], and e^-sigma V and 1 - e^-sigma, [M,
    /// 1]. Nil otherwise, because the gradients with respect to log-scores and logits are then equal.
    fileprivate let mean: (law: Tensor, grown: Tensor, spread: Tensor)?

    /// Log-scores with own entry 0, float32 [M, V].
    func logScore(states: Tensor) throws -> LogScore {
        let shifted = try logits - shift.unsqueezed(1).cast(to: .float32)  // [M, V]
        return LogScore(try shifted.scattered(1, states.unsqueezed(1), value: 0))
    }

    /// The gradient with respect to the head's outputs, float32 [M, V], from that with respect to the log-scores.
    ///
    /// Under absorption log s = z - logsumexp(z) - log(expm1 sigma). The gradient g of the score entropy at such scores
    /// sums to 0, so that g_k - p_k sum(g) is g itself. Under the uniform chain log s_y = log b_y - log b_x with b = V
    /// e^-sigma p + 1 - e^-sigma; with g_x = -sum_{y != x} g_y and h = g V e^-sigma p / b the result is h - p sum(h).
    ///
    /// - Parameters:
    ///   - gradient: [M, V]; its own entry is 0.
    ///   - states: own states; int64 [M].
    func headGradient(_ gradient: Tensor, states: Tensor) throws -> Tensor {
        guard let mean else { return gradient }
        let own = try states.unsqueezed(1)  // [M, 1]
        let opposite = try -gradient.cast(to: .float64).sum(1, keep: true)  // [M, 1]
        let whole = try gradient.scattered(1, own, source: opposite.cast(to: .float32))  // [M, V]
        let grown = try mean.law * mean.grown  // [M, V]
        let pulled = try whole * (grown / (grown + mean.spread))  // [M, V]
        let total = try pulled.cast(to: .float64).sum(1, keep: true).cast(to: .float32)  // [M, 1]
        return try pulled - mean.law * total
    }
}

extension ScoreNetwork {
    /// The scores that follow from outputs of the head; the one place where a law of clean tokens becomes scores.
    ///
    /// - score: log s_y = z_y - shift(sigma).
    /// - cleanToken, absorb: at a masked position s_y = p(y) / (e^sigma - 1), since p_t(y) / p_t(MASK) = e^-sigma p(y)
    ///   / (1 - e^-sigma) (RADD, arXiv 2406.03736). The shift of a row is the log-sum-exp of its tokens'
    ///   logits + log(expm1 sigma).
    /// - cleanToken, uniform: the network's law p is that of the clean token given the other positions, as the mean
    ///   parametrisation of UDLM (arXiv 2412.10193) and Duo has it, and p_t(y) is the sum of p(x0) K(x0, y): s_y = b_y
    ///   / b_x with b = V e^-sigma p + 1 - e^-sigma.
    ///
    /// - Parameters:
    ///   - logits: outputs of the head, float32 [M, V]; not modified, but possibly shared with the result.
    ///   - rows: states and noise of the same positions.
    func scores(_ logits: Tensor, _ rows: Rows) throws -> RowScores {
        func column(_ value: (Double) -> Double) throws -> Tensor {
            try Tensor(rows.noise.map { Float(value($0)) }, shape: [rows.noise.count, 1], device: device)
        }
        guard configuration.model.parametrisation == .cleanToken else {
            return RowScores(logits: logits, shift: try Tensor(rows.noise.map(shift), device: device), mean: nil)
        }
        let total = try Kernels.logSumExp(logits, columns: configuration.tokens)  // [M]
        guard configuration.graph.type == .uniform else {
            let noise = try Tensor(rows.noise.map { logExpm1($0) }, device: device)  // [M]
            return RowScores(logits: logits, shift: try total + noise, mean: nil)
        }
        let size = Double(configuration.states)
        let (grown, spread) = (try column { size * exp(-$0) }, try column { -expm1(-$0) })  // [M, 1]
        let law = try (logits - total.unsqueezed(1).cast(to: .float32)).exp()  // [M, V]
        let logs = try (law * grown + spread).log()  // [M, V]
        let own = try logs.gathered(1, rows.states.unsqueezed(1)).reshaped([-1])  // [M]
        return RowScores(logits: logs, shift: try own.cast(to: .float64), mean: (law, grown, spread))
    }

    /// log p of each clean token under the law that a cleanToken network gives, float64 [M, n]; under absorption an
    /// unmasked position has its own token with certainty.
    func cleanTokenLogs(_ logits: Tensor, _ rows: Rows) throws -> Tensor {
        let n = configuration.tokens
        let total = try Kernels.logSumExp(logits, columns: n).unsqueezed(1)  // [M, 1]
        let law = try logits.narrowed(1, from: 0, length: n).cast(to: .float64) - total  // [M, n]
        guard let mask = configuration.makeGraph().mask else { return law }
        let own: [Int] = try rows.states.array()
        let settled = try Tensor(own.map { $0 == mask ? 0.0 : 1.0 }, shape: [own.count, 1], device: device)  // [M, 1]
        let index = try Tensor(own.map { $0 == mask ? 0 : $0 }, shape: [own.count, 1], device: device)  // [M, 1]
        let carried = try Tensor.full([own.count, n], -.infinity, dtype: .float64, device: device)
            .scattered(1, index, value: 0)  // [M, n]
        return try settled.equals(1).choose(carried, law)
    }
}
