import Synchronization
import Torch

/// A reverse step on preallocated arrays, so that it can be captured once as a CUDA graph and replayed.
///
/// Inputs of each step are copied into three arrays beforehand; the number of rows is padded to a bucket, and padded
/// rows keep their state.
final class CapturedStep: @unchecked Sendable {
    /// What determines the sizes of the arrays.
    struct Shape: Hashable, Sendable {
        let sequences, length: Int
        /// The bucket's number of rows.
        let rows: Int

        /// The bucket for `rows`: the next power of two.
        init(sequences: Int, length: Int, rows: Int) {
            self.sequences = sequences
            self.length = length
            var bucket = 16
            while bucket < rows { bucket *= 2 }
            self.rows = bucket
        }
    }

    /// The open positions that go through the head, one entry per row.
    struct Inputs {
        /// States of all positions, in row-major order; B x L.
        var states: [Int]
        /// Total noise of each sequence.
        var sigma: [Double]
        /// Flat indices of the rows among all positions, and their states.
        var index, own: [Int]
        /// For each row: the shift subtracted from its logits, its rule (five coefficients), and its uniform number in
        /// (0, 1).
        var shift, rules, uniforms: [Double]
    }

    private let network: ScoreNetwork
    private let trunk: FusedTrunk
    private let shape: Shape
    private let headRows: HeadRows
    private let rotary: RotaryPositions
    /// Integer inputs (states, indices, own states); row coefficients; sinusoids of the noise.
    private let wholes, numbers, waves: Tensor
    private var drawn: [Tensor] = []
    private var totals: [Tensor] = []
    private var graph: CUDAGraph?

    init(network: ScoreNetwork, trunk: FusedTrunk, shape: Shape, headRows: HeadRows) throws {
        self.network = network
        self.trunk = trunk
        self.shape = shape
        self.headRows = headRows
        rotary = try trunk.rotary(length: shape.length)
        let device = network.device
        wholes = try .zeros([shape.sequences * shape.length + 2 * shape.rows], dtype: .int64, device: device)
        numbers = try .zeros([7 * shape.rows], dtype: .float64, device: device)
        waves = try .zeros([shape.sequences, SigmaEmbedding.frequencies], device: device)
    }

    /// The next state of each row, or -1 if its weights do not have a positive finite sum, and that sum.
    ///
    /// - Parameter memory: memory pool of the captures; nil to launch every kernel individually.
    func callAsFunction(_ inputs: Inputs, memory: CUDAGraph.Memory?) throws -> (drawn: [Int], totals: [Double]) {
        let spare = shape.rows - inputs.index.count
        func padded<Value>(_ values: [Value], _ filling: [Value]) -> [Value] {
            values + repeatElement(filling, count: spare).flatMap { $0 }
        }
        let keeping = ReverseRule(slope: 0, own: 1, ownSpread: 0).numbers
        try wholes.copyInPlace(Tensor(inputs.states + padded(inputs.index, [0]) + padded(inputs.own, [0])))
        try numbers.copyInPlace(
            Tensor(padded(inputs.shift, [0]) + padded(inputs.rules, keeping) + padded(inputs.uniforms, [0.5])))
        let seen = network.configuration.model.conditioning.seen(inputs.sigma)
        try waves.copyInPlace(Tensor(SigmaEmbedding.waves(seen), shape: waves.shape))
        if let graph {
            try graph.replay()
        } else if let memory {
            graph = try CUDAGraph(on: network.device, in: memory) { try evaluate() }
            try graph?.replay()
        } else {
            try evaluate()
        }
        let count = inputs.index.count
        let states: [Int] = try drawn.flatMap { try $0.array() }
        let sums: [Double] = try totals.flatMap { try $0.array() }
        return (Array(states.prefix(count)), Array(sums.prefix(count)))
    }

    private func evaluate() throws {
        let (b, l, m) = (shape.sequences, shape.length, shape.rows)
        func slice(_ x: Tensor, _ start: Int, _ count: Int) throws -> Tensor {
            try x.narrowed(0, from: start, length: count)
        }
        let states = try slice(wholes, 0, b * l).reshaped([b, l])  // [B, L]
        let hidden = try trunk.forward(states, waves: waves, rotary: rotary, dropout: nil, recording: false).hidden
        (drawn, totals) = ([], [])
        for chunk in headRows.chunks(of: m) {
            let (start, count) = (chunk.lowerBound, chunk.count)
            let vectors = try hidden.rows(slice(wholes, b * l + start, count))  // [M, d]
            let result = try Kernels.reverseStepTensors(
                network.logits(vectors), states: slice(wholes, b * l + m + start, count),
                shift: slice(numbers, start, count),
                rules: slice(numbers, m + 5 * start, 5 * count).reshaped([count, 5]),
                uniforms: slice(numbers, 6 * m + start, count))
            drawn.append(result.drawn)
            totals.append(result.totals)
        }
    }
}

/// The captured steps of one process, by shape; used one at a time, because they share memory.
final class CapturedSteps: Sendable {
    private let network: ScoreNetwork
    private let trunk: FusedTrunk
    private let headRows: HeadRows
    private let memory: CUDAGraph.Memory?
    private let steps = Mutex<[CapturedStep.Shape: CapturedStep]>([:])

    /// Maximum number of cached shapes before the cache is cleared: each keeps its arrays.
    private static let most = 32

    /// - Parameter capturing: whether to capture CUDA graphs; otherwise kernels are launched individually, which tests
    ///   compare.
    init(network: ScoreNetwork, trunk: FusedTrunk, headRows: HeadRows, capturing: Bool) throws {
        self.network = network
        self.trunk = trunk
        self.headRows = headRows
        memory = capturing ? try CUDAGraph.Memory() : nil
    }

    func callAsFunction(_ inputs: CapturedStep.Inputs) throws -> (drawn: [Int], totals: [Double]) {
        let shape = CapturedStep.Shape(
            sequences: inputs.sigma.count, length: inputs.states.count / inputs.sigma.count, rows: inputs.index.count)
        return try steps.withLock { steps in
            if steps[shape] == nil, steps.count >= Self.most { steps = [:] }
            let step =
                try steps[shape] ?? CapturedStep(network: network, trunk: trunk, shape: shape, headRows: headRows)
            steps[shape] = step
            return try step(inputs, memory: memory)
        }
    }
}
