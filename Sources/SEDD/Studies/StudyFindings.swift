import Foundation

/// The paper's claims beside what a study measured; one line each, decided by the numbers alone.
struct StudyFindings {
    let plan: StudyPlan
    let results: StudyResults

    /// The method to which the paper's claims refer.
    private static let analytic = "analytic"

    var lines: [String] { [likelihood, order, steps, predictors, quality, prompts].compactMap { $0 } }

    private func number(_ value: Double, _ digits: Int = 3) -> String { String(format: "%.\(digits)f", value) }

    private func nats(_ role: StudyPlan.Role, _ convention: String) -> EvaluationReport? {
        results.likelihoods.first { $0.model == role && $0.report.convention == convention }?.report
    }

    private func curve(_ source: String, _ sampler: String) -> [(steps: Int, perplexity: Double)] {
        results.qualities.filter { $0.source == source && $0.sampler == sampler }
            .compactMap { row in row.steps.map { ($0, row.report.perplexityOfTokens) } }.sorted { $0.0 < $1.0 }
    }

    private var likelihood: String? {
        guard let left = nats(.autoregressive, "exact"), let bound = nats(.absorb, "bound") else { return nil }
        let ratio = bound.perplexity / left.perplexity
        return
            "Claim: the bound of absorb is within a tenth of the autoregressive model's perplexity, or below it. Here \(number(bound.perplexity)) against \(number(left.perplexity)), a ratio of \(number(ratio)): \(ratio <= 1.1 ? "holds" : "does not hold")."
    }

    private var order: String? {
        guard let absorb = nats(.absorb, "bound"), let uniform = nats(.uniform, "bound") else { return nil }
        let errors = (uniform.natsPerToken - absorb.natsPerToken) / max(differenceError(.absorb, .uniform), 1e-12)
        let verdict = errors > 2 ? "holds" : errors < -2 ? "does not hold" : "undecided"
        return
            "Claim: absorb is better than uniform. Nats a token \(number(absorb.natsPerToken)) against \(number(uniform.natsPerToken)), a difference of \(number(errors, 1)) standard errors: \(verdict)."
    }

    /// Standard error of the difference between two models' bounds, nats per token.
    ///
    /// Blocks that are hard for one model are hard for the other: over the same blocks, the differences vary less than
    /// the values. Results of earlier versions have no values of blocks; the two are then taken as independent.
    private func differenceError(_ one: StudyPlan.Role, _ other: StudyPlan.Role) -> Double {
        let found = [one, other].compactMap { role in
            results.likelihoods.first { $0.model == role && $0.report.convention == "bound" }
        }
        guard found.count == 2 else { return 0 }
        if let a = found[0].blocks, let b = found[1].blocks, a.count == b.count, a.count > 1 {
            var sum = EvaluationSum(tokensPerBlock: 1)
            for (x, y) in zip(a, b) { sum.add([y - x]) }
            return sum.standardError ?? 0
        }
        return found.reduce(0) { $0 + pow($1.report.standardError ?? 0, 2) }.squareRoot()
    }

    private var steps: String? {
        let found = ["absorb", "uniform"].compactMap { source -> String? in
            let points = curve(source, Self.analytic)
            guard points.count > 2 else { return nil }
            // Least squares on logarithms.
            let (xs, ys) = (points.map { log(Double($0.steps)) }, points.map { log($0.perplexity) })
            let (mx, my) = (xs.reduce(0, +) / Double(xs.count), ys.reduce(0, +) / Double(ys.count))
            let slope =
                zip(xs, ys).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
                / xs.reduce(0) { $0 + ($1 - mx) * ($1 - mx) }
            let total = ys.reduce(0) { $0 + ($1 - my) * ($1 - my) }
            let rest = zip(xs, ys).reduce(0) { sum, point in
                let off = point.1 - my - slope * (point.0 - mx)
                return sum + off * off
            }
            return
                "\(source) \(number(points[0].perplexity, 1)) at \(points[0].steps) to \(number(points[points.count - 1].perplexity, 1)) at \(points[points.count - 1].steps) steps, slope \(number(slope)) on log-log axes, R² \(number(1 - rest / max(total, 1e-12), 2))"
        }
        return found.isEmpty
            ? nil
            : "Claim: steps buy quality, in a straight line on log-log axes. Analytic: \(found.joined(separator: "; "))."
    }

    private var predictors: String? {
        let found = ["absorb", "uniform"].compactMap { source -> String? in
            let pairs = zip(curve(source, Self.analytic), curve(source, "euler"))
            let ratios = pairs.map { "\($0.steps): \(number($1.perplexity / $0.perplexity, 2))" }
            return ratios.isEmpty ? nil : "\(source) \(ratios.joined(separator: ", "))"
        }
        return found.isEmpty
            ? nil
            : "Claim: the analytic predictor beats Euler. Euler's generative perplexity over the analytic one's, by steps: \(found.joined(separator: "; "))."
    }

    private var quality: String? {
        guard let plain = curve("autoregressive", "plain").first, let best = curve("absorb", Self.analytic).last,
            let text = results.quality("held-out text", "data", nil)
        else { return nil }
        let equal = curve("absorb", Self.analytic).first { $0.perplexity <= plain.perplexity }
        return
            "Claim: with enough steps, diffusion's samples are better than plain autoregressive ones. Absorb \(number(best.perplexity, 2)) at \(best.steps) steps, autoregressive \(number(plain.perplexity, 2)), held-out text \(number(text.report.perplexityOfTokens, 2)): "
            + (equal.map { "reached at \($0.steps) steps." } ?? "not reached.")
    }

    private var prompts: String? {
        let found = ["prefix", "suffix", "infilling"].compactMap { prompt -> String? in
            let rows = [
                ("autoregressive", "nucleus"), ("absorb", Self.analytic), ("uniform", Self.analytic),
                ("held-out text", "other blocks"),
            ].compactMap { source, sampler in
                results.prompted(source, sampler, prompt).map {
                    "\(source == "held-out text" ? sampler : source) \(number($0.written.score)) ± \(number($0.written.deviation)) (perplexity \(number($0.perplexity, 2)))"
                }
            }
            return rows.isEmpty ? nil : "\(prompt): \(rows.joined(separator: ", "))"
        }
        return found.isEmpty
            ? nil
            : "Claim: prompted from anywhere, diffusion is as close to the text as autoregressive with nucleus sampling. MAUVE of the generated tokens: \(found.joined(separator: "; "))."
    }
}
