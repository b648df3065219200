/// Measurements so far; stored as `results.json` in the study's folder.
struct StudyResults: Codable {
    /// Likelihood of held-out text, by model and convention.
    struct Likelihood: Codable {
        let model: StudyPlan.Role
        let report: EvaluationReport
        /// Nats per token of each block, the same blocks for every model; nil in results of earlier versions.
        var blocks: [Double]?
    }

    /// Unconditional texts under the judge.
    struct Quality: Codable {
        /// `absorb`, `uniform`, `autoregressive` or `held-out text`.
        let source: String
        /// Method and settings, or `plain` or `nucleus`.
        let sampler: String
        /// Reverse steps without the denoising, or tokens; nil for held-out text and for methods without a grid.
        let steps: Int?
        /// Network evaluations per text, on average; nil if not counted.
        var evaluations: Double?
        let report: JudgeReport
        /// Seconds per text.
        let seconds: Double?
    }

    /// Prompted texts, compared with the texts from which the prompts were taken.
    struct Prompted: Codable {
        let source: String
        let sampler: String
        /// `prefix`, `suffix` or `infilling`.
        let prompt: String
        /// MAUVE from the vector of the last token, as published.
        let mauve: Mauve.Result
        /// MAUVE from the mean of the vectors of the generated tokens.
        let written: Mauve.Result
        /// Generative perplexity from the first generated token to the end: how well the generated part continues what
        /// precedes it, and how well what follows continues the generated part.
        let perplexity: Double
        let count: Int
    }

    var likelihoods: [Likelihood] = []
    var qualities: [Quality] = []
    var prompted: [Prompted] = []

    func has(_ model: StudyPlan.Role, _ convention: String) -> Bool {
        likelihoods.contains { $0.model == model && $0.report.convention == convention }
    }

    func quality(_ source: String, _ sampler: String, _ steps: Int?) -> Quality? {
        qualities.first { $0.source == source && $0.sampler == sampler && $0.steps == steps }
    }

    func prompted(_ source: String, _ sampler: String, _ prompt: String) -> Prompted? {
        prompted.first { $0.source == source && $0.sampler == sampler && $0.prompt == prompt }
    }
}
