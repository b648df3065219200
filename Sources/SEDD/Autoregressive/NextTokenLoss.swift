import Files
import Torch

/// Cross-entropy of the next token, -log p(token | tokens before it) in nats: the training loss of autoregressive
/// models.
///
/// Rows go through the head in chunks; the gradient of a chunk is computed and used before the next chunk.
public struct NextTokenLoss: Sendable {
    private let network: AutoregressiveNetwork
    private let headRows: HeadRows

    /// Creates the loss of `network`.
    public init(network: AutoregressiveNetwork) {
        self.network = network
        headRows = HeadRows(outputs: network.configuration.outputs, device: network.device)
    }

    /// Cross-entropy of every token of `sequences`, in nats. Sequences have equal length; the first token is predicted
    /// from the start token.
    ///
    /// - Parameter fromStart: if false, the first token is not predicted, as in published figures of GPT-2, and each
    ///   result is one element shorter.
    public func nats(_ sequences: [[Int]], fromStart: Bool = true) throws -> [[Double]] {
        let (inputs, targets) = try split(sequences, fromStart: fromStart)
        guard let length = inputs.first?.count, length > 0 else { return sequences.map { _ in [] } }
        let tokens = try Tensor(inputs.flatMap { $0 }, shape: [inputs.count, length], device: network.device)  // [B, T]
        let hidden = try network.hidden(tokens).reshaped([inputs.count * length, -1])  // [B T, d]
        let clean = targets.flatMap { $0 }
        var nats: [Double] = []
        for chunk in headRows.chunks(of: clean.count) {
            nats += try terms(
                hidden.narrowed(0, from: chunk.lowerBound, length: chunk.count), Array(clean[chunk])
            ).nats
        }
        return inputs.indices.map { Array(nats[($0 * length)..<(($0 + 1) * length)]) }
    }

    /// The loss of each sequence in nats; adds the gradient of `scale` times their sum to `gradients`, which are also
    /// the gradients of the network's own weights.
    func accumulateGradients(
        _ sequences: [[Int]], scale: Double, dropout: Dropout?, into gradients: Weights
    ) throws -> [Double] {
        let (inputs, targets) = try split(sequences, fromStart: true)
        guard let length = inputs.first?.count, length > 0 else { return [] }
        let tokens = try Tensor(inputs.flatMap { $0 }, shape: [inputs.count, length], device: network.device)  // [B, T]
        let recorded = try network.hidden(tokens, cache: nil, dropout: dropout).reshaped([inputs.count * length, -1])
        let hidden = try recorded.detached()
        let clean = targets.flatMap { $0 }
        let head = try network.head  // [outputs, d]
        let headGradient = try gradients(network.headWeights)
            .narrowed(0, from: 0, length: network.configuration.outputs)  // [outputs, d]
        var hiddenGradient: [Tensor] = []
        var losses = [Double](repeating: 0, count: inputs.count)
        for chunk in headRows.chunks(of: clean.count) {
            let rows = try hidden.narrowed(0, from: chunk.lowerBound, length: chunk.count)  // [M, d]
            let found = try terms(rows, Array(clean[chunk]))
            for (index, nats) in zip(chunk, found.nats) { losses[index / length] += nats }
            // softmax - one-hot
            let own = try found.probabilities.gathered(1, found.target) - 1  // [M, 1]
            let weighted = try found.probabilities.scattered(1, found.target, source: own) * scale  // [M, outputs]
            try headGradient.addTransposedProductInPlace(weighted, rows)
            hiddenGradient.append(try weighted.matmul(head))  // [M, d]
        }
        try recorded.backward(Tensor.concatenated(hiddenGradient, dimension: 0))
        return losses
    }

    /// Probabilities [M, outputs] and the cross-entropy of each target, summed in float64.
    private func terms(
        _ hidden: Tensor, _ targets: [Int]
    ) throws -> (nats: [Double], probabilities: Tensor, target: Tensor) {
        let target = try Tensor(targets, shape: [targets.count, 1], device: network.device)  // [M, 1]
        let logits = try network.logits(hidden)  // [M, outputs]
        let shifted = try logits - logits.maximum(1, keep: true)  // [M, outputs]
        let weights = try shifted.exp()  // [M, outputs]
        let total = try weights.cast(to: .float64).sum(1, keep: true)  // [M, 1]
        let nats = try total.log() - shifted.gathered(1, target).cast(to: .float64)  // [M, 1]
        return (try nats.array(), try weights / total.cast(to: .float32), target)
    }

    private func split(_ sequences: [[Int]], fromStart: Bool) throws -> (inputs: [[Int]], targets: [[Int]]) {
        let outputs = network.configuration.outputs
        if let token = sequences.joined().first(where: { $0 < 0 || $0 >= outputs }) {
            throw SEDDError(.usage, "token \(token) is outside the model's vocabulary of \(outputs)")
        }
        guard Set(sequences.map(\.count)).count <= 1 else {
            throw SEDDError(.usage, "the sequences of a batch have different lengths; expected equal lengths")
        }
        guard fromStart else {
            return (sequences.map { Array($0.dropLast()) }, sequences.map { Array($0.dropFirst()) })
        }
        return (sequences.map { [network.configuration.startToken] + $0.dropLast() }, sequences)
    }
}
