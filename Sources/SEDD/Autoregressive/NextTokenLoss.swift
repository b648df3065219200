import Files
import Torch

/// -log p of each token given those before it, nats; the loss that a model that writes from left to right is trained on.
///
/// Rows meet the head in chunks, whose gradient is formed and used before the next is looked at.
public struct NextTokenLoss: Sendable {
    private let network: AutoregressiveNetwork
    private let headRows: HeadRows

    /// The loss of `network`.
    public init(network: AutoregressiveNetwork) {
        self.network = network
        headRows = HeadRows(outputs: network.configuration.outputs, device: network.device)
    }

    /// The nats of every token of `sequences`, all of one length, the first after the start token.
    ///
    /// - Parameter fromStart: false leaves the first token without a prediction, as published figures of GPT-2 do: one number
    ///   less a sequence.
    public func nats(_ sequences: [[Int]], fromStart: Bool = true) throws -> [[Double]] {
        let (inputs, targets) = try split(sequences, fromStart: fromStart)
        guard let length = inputs.first?.count, length > 0 else { return sequences.map { _ in [] } }
        let tokens = try Tensor(inputs.flatMap { $0 }, shape: [inputs.count, length], device: network.device)
        let hidden = try network.hidden(tokens).reshaped([inputs.count * length, -1])
        let clean = targets.flatMap { $0 }
        var nats: [Double] = []
        for chunk in headRows.chunks(of: clean.count) {
            nats += try terms(
                hidden.narrowed(0, from: chunk.lowerBound, length: chunk.count), Array(clean[chunk])
            ).nats
        }
        return inputs.indices.map { Array(nats[($0 * length)..<(($0 + 1) * length)]) }
    }

    /// The nats of each sequence; adds the gradient of `scale` times their sum to `gradients`, which is also where the
    /// network's weights keep theirs.
    func accumulateGradients(
        _ sequences: [[Int]], scale: Double, dropout: Dropout?, into gradients: Weights
    ) throws -> [Double] {
        let (inputs, targets) = try split(sequences, fromStart: true)
        guard let length = inputs.first?.count, length > 0 else { return [] }
        let tokens = try Tensor(inputs.flatMap { $0 }, shape: [inputs.count, length], device: network.device)
        let recorded = try network.hidden(tokens, cache: nil, dropout: dropout).reshaped([inputs.count * length, -1])
        let hidden = try recorded.detached()
        let clean = targets.flatMap { $0 }
        let head = try network.head
        let headGradient = try gradients(network.headWeights)
            .narrowed(0, from: 0, length: network.configuration.outputs)
        var pulled: [Tensor] = []
        var losses = [Double](repeating: 0, count: inputs.count)
        for chunk in headRows.chunks(of: clean.count) {
            let rows = try hidden.narrowed(0, from: chunk.lowerBound, length: chunk.count)
            let found = try terms(rows, Array(clean[chunk]))
            for (index, nats) in zip(chunk, found.nats) { losses[index / length] += nats }
            // softmax - one-hot
            let own = try found.probabilities.gathered(1, found.target) - 1
            let weighted = try found.probabilities.scattered(1, found.target, source: own) * scale
            try headGradient.addTransposedProductInPlace(weighted, rows)
            pulled.append(try weighted.matmul(head))
        }
        try recorded.backward(Tensor.concatenated(pulled, dimension: 0))
        return losses
    }

    /// Probabilities [M, outputs] and -log of that of each target, its sums in float64.
    private func terms(
        _ hidden: Tensor, _ targets: [Int]
    ) throws -> (nats: [Double], probabilities: Tensor, target: Tensor) {
        let target = try Tensor(targets, shape: [targets.count, 1], device: network.device)
        let logits = try network.logits(hidden)
        let shifted = try logits - logits.maximum(1, keep: true)
        let weights = try shifted.exp()
        let total = try weights.cast(to: .float64).sum(1, keep: true)
        let nats = try total.log() - shifted.gathered(1, target).cast(to: .float64)
        return (try nats.array(), try weights / total.cast(to: .float32), target)
    }

    private func split(_ sequences: [[Int]], fromStart: Bool) throws -> (inputs: [[Int]], targets: [[Int]]) {
        let outputs = network.configuration.outputs
        if let token = sequences.joined().first(where: { $0 < 0 || $0 >= outputs }) {
            throw SEDDError(.usage, "token \(token) is outside the model's vocabulary of \(outputs)")
        }
        guard Set(sequences.map(\.count)).count <= 1 else {
            throw SEDDError(.usage, "sequences of different lengths were given at once; expected one length")
        }
        guard fromStart else {
            return (sequences.map { Array($0.dropLast()) }, sequences.map { Array($0.dropFirst()) })
        }
        return (sequences.map { [network.configuration.startToken] + $0.dropLast() }, sequences)
    }
}
