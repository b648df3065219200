/// What a study has measured so far; `results.json` of its folder.
struct StudyResults: Codable {
    /// Likelihood of held-out text, by model and convention.
    struct Likelihood: Codable {
        let model: StudyPlan.Role
        let report: EvaluationReport
    }

    /// Texts written from nothing, under the judge.
    struct Quality: Codable {
        /// `absorb`, `uniform`, `autoregressive` or `held-out text`.
        let source: String
        /// Method and settings, or `plain` or `nucleus`.
        let sampler: String
        /// Reverse steps without the denoising, or tokens; nil for text itself.
        let steps: Int?
        /// Passes through the network a text, on average; nil where it was not counted.
        var evaluations: Double?
        let report: JudgeReport
        /// Seconds a text.
        let seconds: Double?
    }

    /// Texts around a prompt, against the texts that the prompts are from.
    struct Prompted: Codable {
        let source: String
        let sampler: String
        /// `prefix`, `suffix` or `infilling`.
        let prompt: String
        /// From the vector of the last token, as published.
        let mauve: Mauve.Result
        /// From the mean of the vectors of the written tokens.
        let written: Mauve.Result
        /// Of the tokens from the first written one to the text's end: how well the writing goes on from what stands before it,
        /// and what is given behind it goes on from the writing.
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
