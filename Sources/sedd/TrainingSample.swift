import SEDD
import Text

/// A few unconditional texts of a model in training.
struct TrainingSample {
    private let configuration: TrainingConfiguration
    private let tokenizer: any Tokenizer

    init(_ configuration: TrainingConfiguration, _ tokenizer: any Tokenizer) {
        self.configuration = configuration
        self.tokenizer = tokenizer
    }

    /// The texts, with a line between them; the seeds follow from the step.
    func text(_ network: ScoreNetwork, step: Int) throws -> String {
        let process = try ReverseProcess(
            network: network, predictor: Predictors.named(configuration.sampling.predictor))
        let graph = network.configuration.makeGraph()
        var states = try (0..<configuration.sampling.count).map { index in
            try SequenceState(
                template: [Int?](repeating: nil, count: configuration.model.length),
                seed: UInt64(step) << 8 + UInt64(index), steps: configuration.sampling.steps, graph: graph)
        }
        while states.contains(where: { !$0.isFinished }) { try process.advance(&states) }
        return try states.map { try tokenizer.text(of: $0.states.map(Int32.init)) }.joined(
            separator: "\n" + String(repeating: "-", count: 40) + "\n")
    }
}
