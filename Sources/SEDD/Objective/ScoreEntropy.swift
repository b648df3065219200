import Torch

/// A batch that has been noised.
public struct NoisedBatch: Sendable {
    /// Uncorrupted tokens, row by row; B x L.
    public let clean: [Int]
    /// States after the noise, row by row; B x L.
    public let states: [Int]
    public let length: Int
    /// Total noise of each sequence.
    public let sigma: [Double]
    /// Derivative of the total noise at each sequence's time.
    public let sigmaRate: [Double]

    /// B.
    public var sequences: Int { sigma.count }

    /// A batch whose arrays fit together: B x L tokens and states, B noise levels.
    public init(clean: [Int], states: [Int], length: Int, sigma: [Double], sigmaRate: [Double]) {
        self.clean = clean
        self.states = states
        self.length = length
        self.sigma = sigma
        self.sigmaRate = sigmaRate
    }
}

/// Denoising score entropy, nats per sequence: sigmaRate(t) times the sum over positions (equation 9 of the paper,
/// weighted as in its likelihood bound).
///
/// Only positions that can move meet the head, in chunks of rows; the gradient of a chunk is formed and used before the
/// next chunk is looked at, so memory does not grow with B L V.
public struct ScoreEntropyLoss: Sendable {
    private let network: ScoreNetwork
    private let graph: any TransitionGraph
    private let chunk: Int

    /// Elements [rows, V] that a chunk may hold: 8 MiB of float32, which a second-level cache half holds.
    static let chunkElements = 1 << 21

    /// The loss of `network` over the chain `graph`.
    public init(network: ScoreNetwork, graph: any TransitionGraph) {
        self.network = network
        self.graph = graph
        chunk = max(16, Self.chunkElements / graph.states)
    }

    /// The loss of each sequence, nats.
    public func evaluate(_ batch: NoisedBatch) throws -> [Double] {
        let hidden = try network.hidden(states(batch), sigma: batch.sigma)
        var losses = [Double](repeating: 0, count: batch.sequences)
        try forEachChunk(batch) { positions, rows, clean in
            let chosen = try hidden.rows(Tensor(positions, device: network.device))
            let logScore = try network.logScore(hidden: chosen, rows)
            let entropy = try graph.scoreEntropy(logScore, rows, clean: clean, gradient: false).entropy
            add(entropy: try entropy.array(), positions, batch, to: &losses)
        }
        return losses
    }

    /// The loss of each sequence, nats; adds the gradient of `scale` times their sum to `gradients`, which is also
    /// where the network's weights keep theirs.
    func accumulateGradients(
        _ batch: NoisedBatch, scale: Double, dropout: Dropout?, into gradients: Weights
    ) throws -> [Double] {
        let states = try states(batch)
        guard let fused = network.fused else {
            let recorded = try network.trunk(states, sigma: batch.sigma, dropout: dropout)
            let rows = try recorded.reshaped([batch.sequences * batch.length, -1])
            let head = try headGradients(batch, hidden: rows.detached(), scale: scale, into: gradients)
            try rows.backward(head.hidden)
            return head.losses
        }
        let (hidden, tape) = try fused.forward(states, sigma: batch.sigma, dropout: dropout, recording: true)
        let head = try headGradients(batch, hidden: hidden, scale: scale, into: gradients)
        if let tape { try fused.backward(tape, hiddenGradient: head.hidden, gradients: gradients) }
        return head.losses
    }

    /// Losses, and the gradient of the hidden vectors; adds that of the head to `gradients`.
    private func headGradients(
        _ batch: NoisedBatch, hidden: Tensor, scale: Double, into gradients: Weights
    ) throws -> (losses: [Double], hidden: Tensor) {
        let pulled = try Tensor.zeros(hidden.shape, device: network.device)
        let weight = try network.headWeight.detached()
        let weightGradient = try gradients("output_layer.linear.weight")
        let biasGradient = try gradients("output_layer.linear.bias")
        var losses = [Double](repeating: 0, count: batch.sequences)
        try forEachChunk(batch) { positions, rows, clean in
            let index = try Tensor(positions, device: network.device)
            let chosen = try hidden.rows(index)
            let logScore = try LogScore(network.logScore(hidden: chosen, rows).tensor.detached())
            let result = try graph.scoreEntropy(logScore, rows, clean: clean, gradient: true)
            add(entropy: try result.entropy.array(), positions, batch, to: &losses)
            guard let gradient = result.gradient else { return }
            let factors = positions.map { Float(scale * batch.sigmaRate[$0 / batch.length]) }
            let weighted = try gradient * Tensor(factors, shape: [factors.count, 1], device: network.device)
            try weightGradient.addTransposedProductInPlace(weighted, chosen)
            try biasGradient.addInPlace(weighted.sum(0))
            try Kernels.addRows(pulled, weighted.matmul(weight), at: index)
        }
        return (losses, pulled)
    }

    private func states(_ batch: NoisedBatch) throws -> Tensor {
        try Tensor(batch.states, shape: [batch.sequences, batch.length], device: network.device)
    }

    private func forEachChunk(
        _ batch: NoisedBatch, _ body: (_ positions: [Int], _ rows: Rows, _ clean: Tensor) throws -> Void
    ) throws {
        let moving = batch.states.indices.filter { graph.canMove(from: batch.states[$0]) }
        for start in stride(from: 0, to: moving.count, by: chunk) {
            let positions = Array(moving[start..<min(start + chunk, moving.count)])
            let rows = try Rows(
                states: positions.map { batch.states[$0] },
                sigma: positions.map { batch.sigma[$0 / batch.length] }, device: network.device)
            try body(positions, rows, Tensor(positions.map { batch.clean[$0] }, device: network.device))
        }
    }

    private func add(entropy: [Double], _ positions: [Int], _ batch: NoisedBatch, to losses: inout [Double]) {
        for (position, nats) in zip(positions, entropy) {
            let sequence = position / batch.length
            losses[sequence] += batch.sigmaRate[sequence] * nats
        }
    }
}
