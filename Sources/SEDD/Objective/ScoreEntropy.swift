import Torch

/// A batch of noised sequences.
public struct NoisedBatch: Sendable {
    /// Clean tokens in row-major order; B x L.
    public let clean: [Int]
    /// Noised states in row-major order; B x L.
    public let states: [Int]
    /// L.
    public let length: Int
    /// Total noise of each sequence.
    public let sigma: [Double]
    /// Derivative of the total noise at each sequence's time.
    public let sigmaRate: [Double]

    /// B, the number of sequences.
    public var sequences: Int { sigma.count }

    /// Creates a batch from arrays of matching sizes: B x L tokens and states, B noise levels.
    public init(clean: [Int], states: [Int], length: Int, sigma: [Double], sigmaRate: [Double]) {
        self.clean = clean
        self.states = states
        self.length = length
        self.sigma = sigma
        self.sigmaRate = sigmaRate
    }
}

/// Denoising score entropy, nats per sequence: sigmaRate(t) times the sum over positions (equation 9, weighted as in
/// the likelihood bound of theorem 3.6).
///
/// For a network of clean tokens the scores that follow from its law sum to the true total, and the loss is the cross
/// entropy of that law under the same weights: -log p(x0) / expm1(sigma) at a masked position (MDLM, arXiv 2406.07524;
/// RADD, 2406.03736). Under the uniform chain it is the bound of UDLM (arXiv 2412.10193).
///
/// Only positions that can move go through the head, in chunks of rows; the gradient of a chunk is computed and used
/// before the next chunk, so memory does not grow with B L V.
public struct ScoreEntropyLoss: Sendable {
    private let network: ScoreNetwork
    private let graph: any TransitionGraph
    private let headRows: HeadRows

    /// Creates the loss of `network` under the chain `graph`.
    public init(network: ScoreNetwork, graph: any TransitionGraph) {
        self.network = network
        self.graph = graph
        headRows = HeadRows(outputs: graph.states, device: network.device)
    }

    /// The loss of each sequence, nats.
    public func evaluate(_ batch: NoisedBatch) throws -> [Double] {
        let hidden = try network.hidden(states(batch), sigma: batch.sigma)  // [R, d]
        var losses = [Double](repeating: 0, count: batch.sequences)
        try forEachChunk(batch) { chunk in
            let vectors = try hidden.rows(Tensor(chunk.positions, device: network.device))  // [M, d]
            add(entropy: try entropy(vectors, chunk, factors: nil).entropy, chunk.positions, batch, to: &losses)
        }
        return losses
    }

    /// The loss of each sequence in nats; adds the gradient of `scale` times their weighted sum to `gradients`, which
    /// are also the gradients of the network's own weights.
    ///
    /// - Parameter weights: weight of each sequence in that sum; 1 by default. The returned losses are unweighted.
    func accumulateGradients(
        _ batch: NoisedBatch, scale: Double, weights: [Double]? = nil, dropout: Dropout?, into gradients: Weights
    ) throws -> [Double] {
        let states = try states(batch)
        let scale = (0..<batch.sequences).map { scale * (weights?[$0] ?? 1) }
        guard let fused = network.fused else {
            let recorded = try network.trunk(states, sigma: batch.sigma, dropout: dropout)  // [B, L, d]
            let rows = try recorded.reshaped([batch.sequences * batch.length, -1])  // [R, d]
            let head = try headGradients(batch, hidden: rows.detached(), scale: scale, into: gradients)
            try rows.backward(head.hidden)
            return head.losses
        }
        let (hidden, tape) = try fused.forward(states, sigma: batch.sigma, dropout: dropout, recording: true)  // [R, d]
        let head = try headGradients(batch, hidden: hidden, scale: scale, into: gradients)
        if let tape { try fused.backward(tape, hiddenGradient: head.hidden, gradients: gradients) }
        return head.losses
    }

    /// Losses, and the gradient of the hidden vectors; adds the gradient of the head to `gradients`.
    private func headGradients(
        _ batch: NoisedBatch, hidden: Tensor, scale: [Double], into gradients: Weights
    ) throws -> (losses: [Double], hidden: Tensor) {
        let hiddenGradient = try Tensor.zeros(hidden.shape, device: network.device)  // [R, d]
        let weightGradient = try gradients("output_layer.linear.weight")  // [V, d]
        let biasGradient = try gradients("output_layer.linear.bias")  // [V]
        var losses = [Double](repeating: 0, count: batch.sequences)
        try forEachChunk(batch) { chunk in
            let index = try Tensor(chunk.positions, device: network.device)
            let vectors = try hidden.rows(index)  // [M, d]
            let factors = chunk.positions.map { scale[$0 / batch.length] * batch.sigmaRate[$0 / batch.length] }
            let result = try entropy(vectors, chunk, factors: factors)
            add(entropy: result.entropy, chunk.positions, batch, to: &losses)
            guard let gradient = result.gradient else { return }
            try weightGradient.addTransposedProductInPlace(gradient, vectors)
            try biasGradient.addInPlace(gradient.sum(0))  // [V]
            try Kernels.addRows(hiddenGradient, gradient.matmul(network.head.weight), at: index)  // [R, d]
        }
        return (losses, hiddenGradient)
    }

    /// Positions that go through the head together.
    private struct Chunk {
        let positions: [Int]
        let rows: Rows
        /// int64 [M].
        let clean: Tensor
    }

    /// Nats of each row without the rate and, if factors are given, the gradient with respect to the head's outputs
    /// times those factors.
    private func entropy(
        _ vectors: Tensor, _ chunk: Chunk, factors: [Double]?
    ) throws -> (entropy: [Double], gradient: Tensor?) {
        let count = chunk.positions.count
        let rows = chunk.rows
        let scores = try network.scores(network.lossLogits(vectors), rows)  // [M, V]
        let entropy: Tensor
        let gradient: Tensor?
        if let chain = graph.kernelChain, network.device.hasKernels {
            entropy = try Kernels.scoreEntropy(
                scores.logits, states: rows.states, clean: chunk.clean, sigma: rows.sigma, shift: scores.shift,
                factors: Tensor(factors ?? [Double](repeating: 0, count: count), device: network.device), chain: chain)
            gradient = factors == nil ? nil : scores.logits
        } else {
            let result = try graph.scoreEntropy(
                scores.logScore(states: rows.states), rows, clean: chunk.clean, gradient: factors != nil)
            let weights = try factors.map { try Tensor($0.map(Float.init), shape: [count, 1], device: network.device) }
            entropy = result.entropy
            gradient = if let found = result.gradient, let weights { try found * weights } else { nil }
        }
        return (try entropy.array(), try gradient.map { try scores.headGradient($0, states: rows.states) })
    }

    private func states(_ batch: NoisedBatch) throws -> Tensor {
        try Tensor(batch.states, shape: [batch.sequences, batch.length], device: network.device)
    }

    private func forEachChunk(_ batch: NoisedBatch, _ body: (Chunk) throws -> Void) throws {
        let moving = batch.states.indices.filter { graph.canMove(from: batch.states[$0]) }
        for chunk in headRows.chunks(of: moving.count) {
            let positions = Array(moving[chunk])
            let rows = try Rows(
                states: positions.map { batch.states[$0] },
                sigma: positions.map { batch.sigma[$0 / batch.length] }, device: network.device)
            let clean = try Tensor(positions.map { batch.clean[$0] }, device: network.device)  // [M]
            try body(Chunk(positions: positions, rows: rows, clean: clean))
        }
    }

    private func add(entropy: [Double], _ positions: [Int], _ batch: NoisedBatch, to losses: inout [Double]) {
        for (position, nats) in zip(positions, entropy) {
            let sequence = position / batch.length
            losses[sequence] += batch.sigmaRate[sequence] * nats
        }
    }
}
