import Files
import Foundation
public import Torch

/// How long a training step and a sampling step take, beside what the machine's matrix products would need.
///
/// The work that cannot be avoided, for T tokens, M rows that meet the head, P = 12 blocks d^2: training
/// 6 T P + 6 M d V + 12 blocks B L^2 d, a sampling step 2 T P + 2 M d V + 4 blocks B L^2 d floating-point operations.
/// A roofline is that over (measured rate of products x time): of float32 ones, on a CUDA device of ones in the trunk's precision.
public struct Benchmark: Sendable {
    /// The shape of the model and of the batch.
    public struct Shape: Sendable {
        /// n, d, heads, blocks, L and B.
        public var tokens, hidden, heads, blocks, length, batch: Int

        public init(tokens: Int, hidden: Int, heads: Int, blocks: Int, length: Int, batch: Int) {
            self.tokens = tokens
            self.hidden = hidden
            self.heads = heads
            self.blocks = blocks
            self.length = length
            self.batch = batch
        }
    }

    /// What is measured.
    public enum Part: String, Sendable, CaseIterable {
        case train, sample
    }

    /// What was measured; the keys of `sedd bench --json`. What was not asked for is absent.
    public struct Result: Sendable, Codable {
        /// Medians over the repeats, seconds.
        public let trainStepSeconds, sampleStepSeconds: Double?
        /// Tokens of a batch.
        public let tokens: Int
        public let parameters: Int
        /// Share of the positions that are masked in the sampling step.
        public let masked: Double
        /// float32, 1024 x 1024 x 1024, best of ten; on a CUDA device 8192 x 8192 x 8192, in the trunk's precision.
        public let gemmGflops: Double
        public let trainRoofline, sampleRoofline: Double?
        public let peakRssBytes: Int
        /// The most that tensors have taken on a CUDA device.
        public let peakDeviceBytes: Int?

        enum CodingKeys: String, CodingKey {
            case tokens, parameters, masked
            case trainStepSeconds = "train_step_seconds", sampleStepSeconds = "sample_step_seconds"
            case gemmGflops = "gemm_gflops", trainRoofline = "train_roofline", sampleRoofline = "sample_roofline"
            case peakRssBytes = "peak_rss_bytes", peakDeviceBytes = "peak_device_bytes"
        }
    }

    let shape: Shape
    let parts: Set<Part>
    let masked: Double
    let repeats: Int
    let device: Device
    let precision: Precision
    let graphs: Bool
    let optimizer: TrainingConfiguration.Optimizer.Kind

    /// - Parameters:
    ///   - parts: what is measured; peak memory is that of these parts.
    ///   - masked: share of the positions that are masked in the sampling step.
    ///   - repeats: timed steps of each kind.
    ///   - precision: what the trunk computes in; the standard one of the device unless it is named.
    ///   - graphs: whether a CUDA device is given a sampling step as one graph.
    ///   - optimizer: what moves the weights in the training step.
    /// - Throws: ``SEDDError`` of kind `usage` where the device does not compute in that precision.
    public init(
        shape: Shape, parts: Set<Part> = Set(Part.allCases), masked: Double = 0.5, repeats: Int, device: Device = .cpu,
        precision: Precision? = nil, graphs: Bool = true, optimizer: TrainingConfiguration.Optimizer.Kind = .adamw
    ) throws(SEDDError) {
        self.shape = shape
        self.parts = parts
        self.masked = masked
        self.repeats = repeats
        self.device = device
        self.graphs = graphs
        self.optimizer = optimizer
        self.precision = try Precision.resolved(precision, on: device)
    }

    /// Measures; takes `repeats` steps of each kind after one that is not counted.
    public func run() throws -> Result {
        let configuration = try self.configuration()
        let parameters = WeightLayout(configuration.modelConfiguration(tokens: shape.tokens, kind: "byte")).parameters
        let training = parts.contains(.train) ? try measureTraining(configuration) : nil
        let sampling = parts.contains(.sample) ? try measureSampling(configuration) : nil
        let peak = Self.peakMemory()
        let peakOnDevice = device.kind == .cuda ? try device.peakBytes() : nil
        let rate = try matrixRate()
        let (t, d, v) = (Double(shape.batch * shape.length), Double(shape.hidden), Double(shape.tokens + 1))
        let p = 12 * Double(shape.blocks) * d * d
        let mixing = Double(shape.blocks * shape.batch * shape.length * shape.length) * d
        let trainWork = 6 * t * p + 6 * (t / 2) * d * v + 12 * mixing
        let sampleWork = 2 * t * p + 2 * (t * masked) * d * v + 4 * mixing
        return Result(
            trainStepSeconds: training, sampleStepSeconds: sampling, tokens: shape.batch * shape.length,
            parameters: parameters, masked: masked, gemmGflops: rate / 1e9,
            trainRoofline: training.map { trainWork / (rate * $0) },
            sampleRoofline: sampling.map { sampleWork / (rate * $0) }, peakRssBytes: peak,
            peakDeviceBytes: peakOnDevice)
    }

    private func configuration() throws -> TrainingConfiguration {
        var made = TrainingConfiguration()
        made.model.hiddenSize = shape.hidden
        made.model.nHeads = shape.heads
        made.model.nBlocks = shape.blocks
        made.model.length = shape.length
        made.training.batchSize = shape.batch
        made.optim.type = optimizer
        try made.validate()
        return made
    }

    private func text(_ sequence: Int) -> [Int] {
        let stream = RandomStream(seed: 1, purpose: .windows)
        return (0..<shape.length).map { stream.integer(below: shape.tokens, step: 0, sequence: sequence, position: $0) }
    }

    private func measureTraining(_ configuration: TrainingConfiguration) throws -> Double {
        let network = try ScoreNetwork(
            configuration.modelConfiguration(tokens: shape.tokens, kind: "byte"), seed: 1, device: device,
            precision: precision)
        var state = try TrainingState(network.weights, configuration.optim)
        let step = try TrainingStep(configuration, network: network)
        return try median { _ = try step(&state, window: text) }
    }

    /// One reverse step from a state in which a share of the positions is masked, evenly spread.
    private func measureSampling(_ configuration: TrainingConfiguration) throws -> Double {
        let network = try ScoreNetwork(
            configuration.modelConfiguration(tokens: shape.tokens, kind: "byte"), seed: 1, device: device,
            precision: precision)
        let sampler = try Sampler(network: network, capturesGraphs: graphs)
        let first = try (0..<shape.batch).map { sequence in
            let words = text(sequence)
            let fixed = words.indices.map { position in
                Int(Double(position + 1) * masked) > Int(Double(position) * masked) ? nil : words[position]
            }
            return try sampler.start(.init(template: fixed, seed: UInt64(sequence)))
        }
        return try median {
            var states = first
            try sampler.advance(&states)
        }
    }

    private func matrixRate() throws -> Double {
        let size = device.kind == .cuda ? 8192 : 1024
        let x = try Tensor.full([size, size], 0.5, device: device).cast(to: precision == .bf16 ? .bfloat16 : .float32)
        var best = Double.infinity
        for _ in 0..<10 {
            best = min(best, try seconds { _ = try x.matmul(x) })
        }
        return 2 * Double(size * size * size) / best
    }

    private func median(_ body: () throws -> Void) throws -> Double {
        try body()
        let times = try (0..<repeats).map { _ in try seconds(body) }.sorted()
        return times[times.count / 2]
    }

    private func seconds(_ body: () throws -> Void) throws -> Double {
        let start = ContinuousClock.now
        try body()
        try device.synchronize()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// The most memory that this process has had, bytes.
    static func peakMemory() -> Int {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(RUSAGE_SELF.rawValue, &usage)
            return Int(usage.ru_maxrss) << 10
        #else
            getrusage(RUSAGE_SELF, &usage)
            return Int(usage.ru_maxrss)
        #endif
    }
}
