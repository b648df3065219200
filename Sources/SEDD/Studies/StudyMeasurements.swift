import Files
import Foundation
import Text
import Torch

extension Study {
    /// Perplexities of held-out text: the bound and the published convention for diffusion, both exact conventions for
    /// autoregressive.
    func measureLikelihoods() throws {
        let text = try EvaluationText(dataset.heldOut, named: "held-out text", tokenizer: tokenizer)
        let evaluation = try Evaluation(length: plan.base.model.length, blocks: plan.blocks)
        for role in [StudyPlan.Role.autoregressive, .absorb, .uniform] {
            let likelihoods: [any BlockLikelihood]
            switch try model(role) {
            case .autoregressive(let network):
                likelihoods = [
                    ExactLikelihood(network: network), ExactLikelihood(network: network, convention: .published),
                ]
            case .diffusion(let network):
                likelihoods = try LikelihoodBound.Convention.allCases.map {
                    try LikelihoodBound(
                        network: network, convention: $0, timesPerBlock: plan.timeSamples,
                        seed: plan.base.training.seed)
                }
            }
            for likelihood in likelihoods where !results.has(role, likelihood.settings.convention) {
                let name = "perplexity of \(role.rawValue), \(likelihood.settings.convention)"
                report(.stage(name))
                var blocks: [Double] = []
                let found = try evaluation.run(
                    text, likelihood, eachBlock: { blocks = $0 }, shouldStop: shouldStop
                ) { [report] in report(.progress(name, Double($0.done) / Double($0.total))) }
                try keep { $0.likelihoods.append(.init(model: role, report: found, blocks: blocks)) }
            }
        }
    }

    /// Unconditional texts under the judge: held-out text itself, autoregressive samples, and diffusion samples by
    /// steps and method.
    func measureQuality() throws {
        let judge = try self.judge()
        try quality("held-out text", "data", nil, judge) {
            Written(tokens: try self.heldOutBlocks(self.plan.count))
        }
        for (name, nucleus) in [("plain", nil), ("nucleus", plan.nucleus)] as [(String, Double?)] {
            try quality("autoregressive", name, plan.base.model.length, judge) {
                try self.timed { Written(tokens: try self.leftToRight([], self.plan.count, nucleus: nucleus)) }
            }
        }
        for role in [StudyPlan.Role.absorb, .uniform] {
            for steps in plan.steps {
                for settings in try plan.samplers(role) {
                    // Methods without a grid write the same texts whatever the number of steps: once is enough.
                    let usesGrid = try SamplingMethods.named(settings.method).usesGrid
                    guard usesGrid || steps == plan.steps[0] else { continue }
                    try quality(role.rawValue, settings.summary, usesGrid ? steps : nil, judge) {
                        let free = [Int?](repeating: nil, count: self.plan.base.model.length)
                        return try self.timed {
                            try self.diffused(
                                role, [[Int?]](repeating: free, count: self.plan.count), steps: steps, settings)
                        }
                    }
                }
            }
        }
    }

    /// Prompted texts, compared with the texts from which the prompts were taken.
    func measurePrompts() throws {
        let originals = try heldOutBlocks(plan.promptedCount)
        for prompt in StudyPrompt.all(length: plan.base.model.length) {
            // The other half of the held-out blocks shows the score of a writer as good as the text itself.
            let others = try heldOutBlocks(plan.promptedCount, offset: 1)
            try measure("held-out text", "itself", prompt, originals) { originals }
            try measure("held-out text", "other blocks", prompt, originals) {
                zip(originals, others).map { prompt.filled($0, by: $1) }
            }
            for (name, nucleus) in [("plain", nil), ("nucleus", plan.nucleus)] as [(String, Double?)] {
                // An autoregressive model cannot see what follows the hole; the hole is filled as if nothing did.
                try measure("autoregressive", name, prompt, originals) {
                    let written = try leftToRight(
                        originals.map { Array($0[..<prompt.written.lowerBound]) }, originals.count, nucleus: nucleus)
                    return zip(originals, written).map { prompt.filled($0, by: $1) }
                }
            }
            for role in [StudyPlan.Role.absorb, .uniform] {
                guard let settings = try plan.samplers(role).first else { continue }
                try measure(role.rawValue, settings.summary, prompt, originals) {
                    try diffused(role, originals.map(prompt.template), steps: plan.promptedSteps, settings).tokens
                }
            }
        }
    }

    private func measure(
        _ source: String, _ sampler: String, _ prompt: StudyPrompt, _ originals: [[Int]], _ make: () throws -> [[Int]]
    ) throws {
        guard results.prompted(source, sampler, prompt.name) == nil else { return }
        report(.stage("\(prompt.name): \(source), \(sampler)"))
        let made = try make()
        let judge = try self.judge()
        let nats = try judge.judge.nats(made).flatMap { $0.dropFirst(prompt.written.lowerBound) }
        let row = StudyResults.Prompted(
            source: source, sampler: sampler, prompt: prompt.name,
            mauve: try judge.mauve(made, originals, .last, seeds: 10),
            written: try judge.mauve(made, originals, .range(prompt.written), seeds: 10),
            perplexity: exp(nats.reduce(0, +) / Double(nats.count)), count: made.count)
        try keep { $0.prompted.append(row) }
    }

    private func judge() throws -> Judgement {
        let judge = try Judge(network: model(.judge).autoregressive(), tokenizer: tokenizer)
        return Judgement(judge, name: "judge, \(plan.base.training.nIters) steps")
    }

    private func quality(
        _ source: String, _ sampler: String, _ steps: Int?, _ judge: Judgement,
        _ make: () throws -> Written
    ) throws {
        guard results.quality(source, sampler, steps) == nil else { return }
        report(.stage("samples: \(source), \(sampler)" + (steps.map { ", \($0) steps" } ?? "")))
        let made = try make()
        let precision = Precision.standard(on: device)
        let settings = made.settings ?? steps.map { SamplingSettings(method: sampler, steps: $0) }
        let records = try made.tokens.map {
            SampleRecord(
                text: try tokenizer.text(ofSample: $0.map { Int32($0) }), tokens: $0, settings: settings,
                precision: precision
            )
        }
        try write(records, "\(source)-\(sampler)-\(steps ?? 0)")
        let found = try judge.report(
            records.map {
                TextSample(
                    text: $0.text, tokens: $0.tokens, steps: steps, sampler: sampler, precision: precision.rawValue)
            }, whole: true)
        try keep {
            $0.qualities.append(
                .init(
                    source: source, sampler: sampler, steps: steps, evaluations: made.evaluations, report: found,
                    seconds: made.seconds.map { $0 / Double(records.count) }))
        }
    }

    /// Generated texts, or held-out ones.
    private struct Written {
        var tokens: [[Int]]
        var settings: SamplingSettings?
        /// Network evaluations per text, on average.
        var evaluations: Double?
        var seconds: Double?
    }

    private func timed(_ body: () throws -> Written) throws -> Written {
        let start = ContinuousClock.now
        var written = try body()
        written.seconds = (ContinuousClock.now - start) / .seconds(1)
        return written
    }

    private func heldOutBlocks(_ count: Int, offset: Int = 0) throws -> [[Int]] {
        let length = plan.base.model.length
        let whole = dataset.heldOut.count / length
        return try (0..<count).map { index in
            try dataset.heldOut.window(at: (index * whole / count + offset) * length, length: length).map { Int($0) }
        }
    }

    /// Texts per batch.
    private static let group = 32

    private func leftToRight(_ prefixes: [[Int]], _ count: Int, nucleus: Double?) throws -> [[Int]] {
        let sampler = AutoregressiveSampler(
            network: try model(.autoregressive).autoregressive(), choice: try TokenChoice(topP: nucleus))
        return try stride(from: 0, to: count, by: Self.group).flatMap { start in
            try stopIfAsked()
            return try sampler.sample(
                (start..<min(start + Self.group, count)).map {
                    .init(prefix: prefixes.isEmpty ? [] : prefixes[$0], seed: UInt64($0))
                }, length: plan.base.model.length)
        }
    }

    private func diffused(
        _ role: StudyPlan.Role, _ templates: [[Int?]], steps: Int, _ settings: SamplingSettings
    ) throws -> Written {
        let sampler = try Sampler(network: model(role).diffusion())
        var settings = settings
        settings.steps = steps
        var planned = 0
        let requests = templates.enumerated().map {
            Sampler.Request(template: $1, seed: UInt64($0), settings: settings)
        }
        if let first = requests.first { planned = try sampler.start(first).planned * requests.count }
        let found = try sampler.sample(requests, tokens: Self.group * plan.base.model.length) { [report] done in
            try stopIfAsked()
            report(.progress("\(settings.summary), \(steps) steps", Double(done) / Double(max(1, planned))))
        }
        let evaluations = found.reduce(0) { $0 + $1.networkEvaluations }
        return Written(
            tokens: found.map(\.states), settings: settings,
            evaluations: Double(evaluations) / Double(max(1, found.count)))
    }

    private func write(_ samples: [SampleRecord], _ name: String) throws {
        let lines = try samples.map { try JSON.text($0) + "\n" }
        let target = folder.appending(path: "samples")
        try FileSystem.createFolder(target)
        let file = name.replacingOccurrences(of: " ", with: "-") + ".jsonl"
        try OutputFile.write(Array(lines.joined().utf8), to: target.appending(path: file))
    }
}
