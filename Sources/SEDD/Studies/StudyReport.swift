import Files
import Foundation
import Torch

/// Writes a study's results: `report.md`, a CSV file for every figure, SVG plots and the exact configurations.
struct StudyReport {
    let plan: StudyPlan
    let results: StudyResults
    let parameters: [StudyPlan.Role: Int]

    /// Writes all files, each atomically.
    func write(to folder: URL) throws {
        func put(_ text: String, _ name: String) throws {
            try OutputFile.write(Array(text.utf8), to: folder.appending(path: name))
        }
        try FileSystem.createFolder(folder.appending(path: "configurations"))
        for role in StudyPlan.Role.allCases {
            var made = plan.configuration(role)
            // Paths of the data are omitted for privacy; --data supplies them again.
            made.data.files = made.data.files.map { URL(filePath: $0).lastPathComponent }
            try put(ConfigurationFile.yaml(made), "configurations/\(role.rawValue).yaml")
        }
        try put(perplexityCSV, "perplexity.csv")
        try put(qualityCSV, "quality.csv")
        try put(promptedCSV, "prompted.csv")
        try put(
            plot("Generative perplexity by steps", "generative perplexity", log: true) { $0.report.perplexityOfTokens },
            "perplexity.svg")
        try put(
            plot("Unigram entropy by steps", "nats per text", log: false) { $0.report.diversity.entropy }, "entropy.svg"
        )
        try put(report, "report.md")
    }

    private func number(_ value: Double?, _ digits: Int = 3) -> String {
        value.map { String(format: "%.\(digits)f", $0) } ?? ""
    }

    /// In the order of the models, whenever they were measured.
    private var likelihoods: [StudyResults.Likelihood] {
        StudyPlan.Role.allCases.flatMap { role in results.likelihoods.filter { $0.model == role } }
    }

    private var perplexityCSV: String {
        "model,convention,nats_per_token,standard_error,perplexity,bits_per_byte,diffusion,prior,reconstruction\n"
            + likelihoods.map { row in
                let found = row.report
                return [
                    row.model.rawValue, found.convention, number(found.natsPerToken, 5), number(found.standardError, 5),
                    number(found.perplexity, 4), number(found.bitsPerByte, 4), number(found.terms["diffusion"], 5),
                    number(found.terms["prior"], 5), number(found.terms["reconstruction"], 5),
                ].joined(separator: ",") + "\n"
            }.joined()
    }

    private var qualityCSV: String {
        "source,sampler,steps,count,perplexity_of_tokens,perplexity_of_texts,entropy,pooled_entropy,distinct_2,distinct_4,repetition,seconds_a_text,evaluations,perplexity_standard_error,entropy_standard_error\n"
            + results.qualities.map { row in
                let (found, varied) = (row.report, row.report.diversity)
                return [
                    row.source, quoted(row.sampler), row.steps.map(String.init) ?? "", String(found.count),
                    number(found.perplexityOfTokens), number(found.perplexityOfTexts), number(varied.entropy, 4),
                    number(varied.pooledEntropy, 4), number(varied.distinct[1], 4), number(varied.distinct[3], 4),
                    number(varied.repetition, 4), number(row.seconds), number(row.evaluations, 2),
                    number(found.perplexityStandardError), number(varied.entropyStandardError, 4),
                ].joined(separator: ",") + "\n"
            }.joined()
    }

    /// A quoted CSV field; sampler names may contain commas.
    private func quoted(_ field: String) -> String { field.contains(",") ? "\"\(field)\"" : field }

    private var promptedCSV: String {
        "source,sampler,prompt,count,mauve_written,deviation_written,mauve_last,deviation_last,clusters,perplexity\n"
            + results.prompted.map { row in
                [
                    row.source, quoted(row.sampler), row.prompt, String(row.count), number(row.written.score, 4),
                    number(row.written.deviation, 4), number(row.mauve.score, 4), number(row.mauve.deviation, 4),
                    String(row.mauve.buckets), number(row.perplexity),
                ].joined(separator: ",") + "\n"
            }.joined()
    }

    private func curve(_ source: String, _ sampler: String) -> [StudyResults.Quality] {
        results.qualities.filter { $0.source == source && $0.sampler == sampler }
            .sorted { ($0.steps ?? 0) < ($1.steps ?? 0) }
    }

    /// The methods measured on a model, in plan order.
    private func samplers(_ source: String) -> [String] {
        plan.samplers.map(\.summary).filter { !curve(source, $0).isEmpty }
    }

    private func plot(
        _ title: String, _ label: String, log: Bool, _ value: (StudyResults.Quality) -> Double
    ) -> String {
        var series = ["absorb", "uniform"].flatMap { source in
            samplers(source).map { sampler in
                SVGPlot.Series(
                    name: "\(source), \(sampler)",
                    points: curve(source, sampler).map { ($0.evaluations ?? Double($0.steps ?? 1), value($0)) })
            }
        }
        for (source, sampler, name) in [
            ("autoregressive", "plain", "autoregressive, plain"),
            ("autoregressive", "nucleus", "autoregressive, nucleus"),
            ("held-out text", "data", "held-out text"),
        ] {
            guard let found = results.qualities.first(where: { $0.source == source && $0.sampler == sampler }) else {
                continue
            }
            series.append(.init(name: name, points: [(1, value(found))], isLevel: true))
        }
        return SVGPlot(title: title, xLabel: "network evaluations", yLabel: label, isLogY: log, series: series).svg()
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        let lines = [head, head.map { _ in "---" }] + rows
        return lines.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
    }

    private var report: String {
        let base = plan.base
        let sizes = StudyPlan.Role.allCases.map { role in
            [role.rawValue, String(plan.configuration(role).model.hiddenSize), String(parameters[role] ?? 0)]
        }
        let files = base.data.files.map { URL(filePath: $0).lastPathComponent }.joined(separator: ", ")
        let likelihoods = self.likelihoods.map { row in
            [
                row.model.rawValue, row.report.convention + (row.report.exact ? "" : " (at most)"),
                number(row.report.natsPerToken, 4) + " ± " + number(row.report.standardError, 4),
                number(row.report.perplexity), number(row.report.bitsPerByte),
                row.report.exact
                    ? ""
                    : ["diffusion", "prior", "reconstruction"].compactMap { name in
                        row.report.terms[name].map { "\(name) \(number($0, 4))" }
                    }.joined(separator: ", "),
            ]
        }
        let levels = results.qualities.filter { $0.source == "autoregressive" || $0.source == "held-out text" }
        let curves = ["absorb", "uniform"].flatMap { source in samplers(source).flatMap { curve(source, $0) } }
        let qualities = (levels + curves).map { row in
            [
                row.source, row.sampler, row.steps.map(String.init) ?? "", number(row.evaluations, 1),
                SampleMean.text(row.report.perplexityOfTokens, row.report.perplexityStandardError, digits: 2),
                number(row.report.perplexityOfTexts, 2),
                SampleMean.text(row.report.diversity.entropy, row.report.diversity.entropyStandardError, digits: 3),
                number(row.report.diversity.distinct[3]), number(row.report.diversity.repetition),
                number(row.seconds),
            ]
        }
        let prompted = results.prompted.map { row in
            [
                row.prompt, row.source, row.sampler, number(row.written.score) + " ± " + number(row.written.deviation),
                number(row.mauve.score) + " ± " + number(row.mauve.deviation), number(row.perplexity, 2),
            ]
        }
        return """
            # Study: \(base.tokenizer) of \(files)

            Models of \(base.model.nBlocks) blocks on \(base.model.length) tokens, \(base.training.nIters) steps of \
            \(base.training.batchSize) blocks each (\(base.training.nIters * base.training.batchSize * base.model.length) tokens), \
            \(base.optim.type.rawValue) with learning rate \(base.optim.lr)\(base.optim.type == .muon ? " (\(base.optim.muonLr) for matrices in blocks)" : ""), \
            moving average \(number(base.training.averageDecay, 4)), the last \(base.data.heldOut) of the text held out. \
            The exact configurations are in `configurations/`. Computed in \
            \(results.likelihoods.first?.report.precision ?? "float32"), draws in float64\
            \(plan.precision.map { "; the diffusion models were trained in \($0.rawValue)" } ?? "").

            \(table(["model", "width", "weights"], sizes))

            ## Perplexity of held-out text

            \(results.likelihoods.first?.report.blocks ?? 0) blocks, \(plan.timeSamples) stratified times per block.

            \(table(["model", "convention", "nats per token", "perplexity", "bits per byte", "terms"], likelihoods))

            ## Samples under the judge

            \(plan.count) sequences of \(base.model.length) tokens per row, judged whole; the judge is autoregressive and predicts every token. \
            Steps of the autoregressive model are tokens. Nucleus \(plan.nucleus). Plots: `perplexity.svg`, `entropy.svg`; \
            numbers: `quality.csv`.

            ![Generative perplexity](perplexity.svg)
            ![Entropy](entropy.svg)

            \(table(["source", "sampler", "steps", "evaluations", "perplexity (tokens)", "perplexity (texts)", "entropy, nats", "distinct 4", "repetition", "s per text"], qualities))

            ## Prompts

            \(plan.promptedCount) completed texts, compared with the texts that the prompts are from. Prefix and suffix: half of the \
            text given; infilling: the first and the last quarter. Diffusion takes \(plan.promptedSteps) steps of \
            \(plan.samplers.first?.summary ?? ""). The autoregressive model cannot see what follows the hole. MAUVE from the judge's \
            hidden vectors, mean and standard deviation over 10 seeds of the clustering, \
            \(results.prompted.first?.mauve.buckets ?? 0) clusters: of the generated tokens (their mean), and of the last token as \
            published, which is meaningless if the end of a text is given. Perplexity under the judge is that of the tokens from the \
            first generated one to the end, including what is given after it. "Other blocks" fills the holes with other held-out \
            text: as probable as text can be on its own, but from another story. Under the uniform chain, prompts bias the samples \
            however many steps are taken: the network takes the given tokens for noisy ones.

            \(table(["prompt", "source", "sampler", "MAUVE, generated", "MAUVE, last token", "perplexity"], prompted))

            ## Findings

            \(StudyFindings(plan: plan, results: results).lines.map { "- \($0)" }.joined(separator: "\n"))

            """
    }
}
