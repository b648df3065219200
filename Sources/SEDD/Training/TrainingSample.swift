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
    func text(_ model: LanguageModel, step: Int) throws -> String {
        let seeds = (0..<configuration.sampling.count).map { UInt64(step) << 8 + UInt64($0) }
        return try sequences(model, seeds).map { try tokenizer.text(ofSample: $0.map { Int32($0) }) }.joined(
            separator: "\n" + String(repeating: "-", count: 40) + "\n")
    }

    private func sequences(_ model: LanguageModel, _ seeds: [UInt64]) throws -> [[Int]] {
        let (length, settings) = (configuration.model.length, configuration.sampling.settings)
        switch model {
        case .autoregressive(let network):
            return try LeftToRightSampler(network: network, choice: TokenChoice(settings.filter)).sample(
                seeds.map { .init(seed: $0) }, length: length)
        case .diffusion(let network):
            let free = [Int?](repeating: nil, count: length)
            return try Sampler(network: network).sample(
                seeds.map { .init(template: free, seed: $0, settings: settings) }
            ).map(\.states)
        }
    }
}
