import Files
public import Foundation
import Torch

/// Outputs of a model for given states as plain tensors, for comparison with another implementation.
///
/// The only place that forms [B, L, V]: use it with small models and short sequences.
public struct Inspection: Sendable {
    let network: ScoreNetwork

    /// Inspects `network`.
    public init(network: ScoreNetwork) { self.network = network }

    /// Reads `t` float32 [B], `xt` int64 [B, L] and optionally `x0` from `input`; writes `sigma`, `sigma_rate` [B] and
    /// `log_score` [B, L, V], with x0 `score_entropy` [B, L] (nats, without the rate) and `loss` [B] (with it), and
    /// with `stepSize` the unclamped weights `euler_probs`, `analytic_probs`, `denoise_probs`. A network of clean
    /// tokens also has `log_clean` [B, L, n], log p of each token; where a token is carried over, the others have
    /// -infinity. Under absorption its scores are meaningful at masked positions alone.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` if a tensor is missing or has the wrong shape.
    public func run(input: URL, output: URL, stepSize: Double?) throws {
        let file = try Safetensors(contentsOf: input)
        let tIn = try tensor("t", rank: 1, file, input)
        let xtIn = try tensor("xt", rank: 2, file, input)
        let (b, l) = (try xtIn.shape[0], try xtIn.shape[1])
        guard try tIn.shape == [b] else {
            throw SEDDError(
                .invalidData, "\(input.path): t has shape \(try tIn.shape); expected [\(b)], the B of xt [\(b), \(l)]")
        }
        let graph = network.configuration.makeGraph()
        let noise = try network.configuration.makeNoise()
        let times: [Double] = try tIn.array()
        if let time = times.first(where: { !($0 >= 0 && $0 <= 1) }) {
            throw SEDDError(.invalidData, "\(input.path): t holds \(time); expected times from 0 to 1")
        }
        let xt: [Int] = try xtIn.array()
        try check(xt, below: graph.states, "xt", input)
        let sigma = times.map(noise.sigma)
        let rate = times.map(noise.sigmaRate)
        let rows = try Rows(states: xt, sigma: xt.indices.map { sigma[$0 / l] }, device: network.device)
        let hidden = try network.hidden(Tensor(xt, shape: [b, l], device: network.device), sigma: sigma)
        let logits = try network.logits(hidden)
        let logScore = try network.scores(logits, rows).logScore(states: rows.states)
        var results: [(name: String, tensor: Tensor)] = [
            ("sigma", try Tensor(sigma.map(Float.init))), ("sigma_rate", try Tensor(rate.map(Float.init))),
            ("log_score", try shaped(logScore.tensor, b, l)),
        ]
        if network.configuration.model.parametrisation == .cleanToken {
            let law = try network.cleanTokenLogs(logits, rows)
            results.append(("log_clean", try shaped(law.cast(to: .float32), b, l)))
        }
        if file.entries["x0"] != nil {
            let x0In = try tensor("x0", rank: 2, file, input)
            guard try x0In.shape == [b, l] else {
                throw SEDDError(
                    .invalidData, "\(input.path): x0 has shape \(try x0In.shape); expected [\(b), \(l)], that of xt")
            }
            let x0: [Int] = try x0In.array()
            try check(x0, below: graph.tokens, "x0", input)
            let entropy = try graph.scoreEntropy(
                logScore, rows, clean: Tensor(x0, device: network.device), gradient: false
            ).entropy.reshaped([b, l])
            let loss = try entropy * Tensor(rate, shape: [b, 1], device: network.device)
            results.append(("score_entropy", try entropy.cast(to: .float32)))
            results.append(("loss", try loss.sum(1).cast(to: .float32)))
        }
        if let stepSize {
            let score = try logScore.exponentiated()
            let column = { (values: [Double]) in
                try Tensor(xt.indices.map { values[$0 / l] }, shape: [b * l, 1], device: network.device)
            }
            let scale = try column(rate.map { $0 * stepSize })
            let sigmaStep = try column(times.map { noise.sigma($0) - noise.sigma($0 - stepSize) })
            results += [
                ("euler_probs", try shaped(graph.eulerWeights(score, rows, scale: scale), b, l)),
                ("analytic_probs", try shaped(graph.analyticWeights(score, rows, sigmaStep: sigmaStep), b, l)),
                ("denoise_probs", try shaped(graph.denoisingWeights(score, rows), b, l)),
            ]
        }
        let model = network.configuration.model
        try Safetensors.write(
            results,
            metadata: ["parametrisation": model.parametrisation.rawValue, "conditioning": model.conditioning.rawValue],
            to: output)
    }

    private func shaped(_ x: Tensor, _ b: Int, _ l: Int) throws -> Tensor { try x.reshaped([b, l, -1]) }

    private func tensor(_ name: String, rank: Int, _ file: Safetensors, _ url: URL) throws -> Tensor {
        guard let entry = file.entries[name], entry.shape.count == rank, !entry.shape.contains(0) else {
            let found = file.entries[name].map { "shape \($0.shape)" } ?? "none"
            throw SEDDError(.invalidData, "\(url.path): expected a tensor '\(name)' of rank \(rank), found \(found)")
        }
        return try file.tensor(name)
    }

    private func check(_ states: [Int], below bound: Int, _ name: String, _ url: URL) throws {
        if let state = states.first(where: { $0 < 0 || $0 >= bound }) {
            throw SEDDError(.invalidData, "\(url.path): \(name) holds \(state); expected 0 to \(bound - 1)")
        }
    }
}
