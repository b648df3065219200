import Files
import Foundation
public import Torch

/// Times a training step and a sampling step, and compares them with the matrix products they contain.
///
/// Floating-point operations that cannot be avoided, for T tokens, M rows in the head and P = 12 blocks d^2:
///
/// - a training step: 6 T P + 6 M d V + 12 blocks B L^2 d;
/// - a sampling step: 2 T P + 2 M d V + 4 blocks B L^2 d.
///
/// The roofline is that count over (measured throughput of matrix products x time), in float32, or on a CUDA device in
/// the trunk's precision.
public struct Benchmark: Sendable {
    /// The shape of the model and of the batch.
    public struct Shape: Sendable {
        /// n, d, heads, blocks, L and B.
        public var tokens, hidden, heads, blocks, length, batch: Int

        /// A model with `tokens` tokens, width `hidden`, `heads` attention heads and `blocks` blocks; batches of
        /// `batch` sequences of `length` tokens.
        public init(tokens: Int, hidden: Int, heads: Int, blocks: Int, length: Int, batch: Int) {
            self.tokens = tokens
            self.hidden = hidden
            self.heads = heads
            self.blocks = blocks
            self.length = length
            self.batch = batch
        }
    }

    /// What to measure.
    public enum Step: String, Sendable, CaseIterable {
        /// A training step, or a sampling step.
        case train, sample
    }

    /// The measurements; the keys of `sedd bench --json`. Steps that were not measured are absent.
    public struct Result: Sendable, Codable {
        /// Medians over the repeats, seconds.
        public let trainStepSeconds, sampleStepSeconds: Double?
        /// Tokens per batch.
        public let tokens: Int
        /// Number of weights.
        public let parameters: Int
        /// Fraction of the positions masked in the sampling step.
        public let masked: Double
        /// Floating-point operations per second of matrix products: float32, 1024 x 1024 x 1024, best of ten; on a CUDA
        /// device 8192 x 8192 x 8192 in the trunk's precision.
        public let gemmGflops: Double
        /// Fraction of the roofline that each step reaches.
        public let trainRoofline, sampleRoofline: Double?
        /// Peak resident memory of the process, bytes.
        public let peakRssBytes: Int
        /// Peak memory of tensors on a CUDA device, bytes.
        public let peakDeviceBytes: Int?

        enum CodingKeys: String, CodingKey {
            case tokens, parameters, masked
            case trainStepSeconds = "train_step_seconds", sampleStepSeconds = "sample_step_seconds"
            case gemmGflops = "gemm_gflops", trainRoofline = "train_roofline", sampleRoofline = "sample_roofline"
            case peakRssBytes = "peak_rss_bytes", peakDeviceBytes = "peak_device_bytes"
        }
    }

    let shape: Shape
    let steps: Set<Step>
    let masked: Double
    let repeats: Int
    let device: Device
    let precision: Precision
    let capturesCUDAGraphs: Bool
    let optimizer: TrainingConfiguration.Optimizer.Kind

    /// - Parameters:
    ///   - steps: what to measure; peak memory covers only these steps.
    ///   - masked: fraction of the positions masked in the sampling step.
    ///   - repeats: timed steps of each kind.
    ///   - precision: precision of the trunk; defaults to the device's standard precision.
    ///   - capturesCUDAGraphs: whether a sampling step runs as one CUDA graph on a CUDA device.
    ///   - optimizer: the optimizer of the training step.
    /// - Throws: ``SEDDError`` of kind `usage` if training steps on the device do not compute in that precision.
    public init(
        shape: Shape, steps: Set<Step> = Set(Step.allCases), masked: Double = 0.5, repeats: Int, device: Device = .cpu,
        precision: Precision? = nil, capturesCUDAGraphs: Bool = true,
        optimizer: TrainingConfiguration.Optimizer.Kind = .adamw
    ) throws(SEDDError) {
        self.shape = shape
        self.steps = steps
        self.masked = masked
        self.repeats = repeats
        self.device = device
        self.capturesCUDAGraphs = capturesCUDAGraphs
        self.optimizer = optimizer
        self.precision = try Precision.resolved(precision, on: device, for: .training)
    }

    /// Runs the measurements: `repeats` steps of each kind after one warm-up step.
    public func run() throws -> Result {
        let configuration = try self.configuration()
        let parameters = WeightLayout(configuration.modelConfiguration(tokens: shape.tokens, kind: "byte")).parameters
        let training = steps.contains(.train) ? try measureTraining(configuration) : nil
        let sampling = steps.contains(.sample) ? try measureSampling(configuration) : nil
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

    /// One reverse step from a state in which a fraction of the positions is masked, evenly spaced.
    private func measureSampling(_ configuration: TrainingConfiguration) throws -> Double {
        let network = try ScoreNetwork(
            configuration.modelConfiguration(tokens: shape.tokens, kind: "byte"), seed: 1, device: device,
            precision: precision)
        let sampler = try Sampler(network: network, capturesCUDAGraphs: capturesCUDAGraphs)
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

    /// Peak resident memory of this process, bytes.
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
