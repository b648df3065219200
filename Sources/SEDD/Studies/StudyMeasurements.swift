import Files
import Foundation
import Text
import Torch

extension Study {
    /// Perplexities of held-out text: the bound and the published convention for diffusion, both exact ones from left to right.
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
                let found = try evaluation.run(text, likelihood, shouldStop: shouldStop) { [report] in
                    report(.progress(name, Double($0.done) / Double($0.total)))
                }
                try keep { $0.likelihoods.append(.init(model: role, report: found)) }
            }
        }
    }

    /// Texts from nothing under the judge: held-out text itself, from left to right, and diffusion by steps and predictor.
    func measureQuality() throws {
        let judge = try self.judge()
        try quality("held-out text", "data", nil, judge) { (try self.heldOutBlocks(self.plan.count), 0) }
        for (name, nucleus) in [("plain", nil), ("nucleus", plan.nucleus)] as [(String, Double?)] {
            try quality("autoregressive", name, plan.base.model.length, judge) {
                try self.timed { try self.leftToRight([], self.plan.count, nucleus: nucleus) }
            }
        }
        for role in [StudyPlan.Role.absorb, .uniform] {
            for steps in plan.steps {
                for predictor in Predictors.names {
                    try quality(role.rawValue, predictor, steps, judge) {
                        let free = [Int?](repeating: nil, count: self.plan.base.model.length)
                        return try self.timed {
                            try self.diffused(
                                role, [[Int?]](repeating: free, count: self.plan.count), steps: steps, predictor)
                        }
                    }
                }
            }
        }
    }

    /// Texts around prompts from held-out text, against the texts that those are from.
    func measurePrompts() throws {
        let originals = try heldOutBlocks(plan.promptedCount)
        for prompt in StudyPrompt.all(length: plan.base.model.length) {
            // The other half of the held-out blocks is what a writer as good as the text itself would be as near to.
            let others = try heldOutBlocks(plan.promptedCount, offset: 1)
            try measure("held-out text", "itself", prompt, originals) { originals }
            try measure("held-out text", "other blocks", prompt, originals) {
                zip(originals, others).map { prompt.filled($0, by: $1) }
            }
            for (name, nucleus) in [("plain", nil), ("nucleus", plan.nucleus)] as [(String, Double?)] {
                // From left to right what stands behind the hole cannot be seen; the hole is written as if nothing did.
                try measure("autoregressive", name, prompt, originals) {
                    let written = try leftToRight(
                        originals.map { Array($0[..<prompt.written.lowerBound]) }, originals.count, nucleus: nucleus)
                    return zip(originals, written).map { prompt.filled($0, by: $1) }
                }
            }
            for role in [StudyPlan.Role.absorb, .uniform] {
                try measure(role.rawValue, Predictors.names[0], prompt, originals) {
                    try diffused(
                        role, originals.map(prompt.template), steps: plan.promptedSteps, Predictors.names[0])
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
            written: try judge.mauve(made, originals, .part(prompt.written), seeds: 10),
            perplexity: exp(nats.reduce(0, +) / Double(nats.count)), count: made.count)
        try keep { $0.prompted.append(row) }
    }

    private func judge() throws -> Judgement {
        let judge = try Judge(network: model(.judge).autoregressive(), tokenizer: tokenizer)
        return Judgement(judge, name: "judge, \(plan.base.training.nIters) steps")
    }

    private func quality(
        _ source: String, _ sampler: String, _ steps: Int?, _ judge: Judgement,
        _ make: () throws -> (tokens: [[Int]], seconds: Double)
    ) throws {
        guard results.quality(source, sampler, steps) == nil else { return }
        report(.stage("samples: \(source), \(sampler)" + (steps.map { ", \($0) steps" } ?? "")))
        let made = try make()
        let samples = try made.tokens.map {
            TextSample(
                text: try tokenizer.text(ofSample: $0.map { Int32($0) }), tokens: $0, steps: steps, sampler: sampler,
                precision: Precision.standard(on: device).rawValue)
        }
        try write(samples, "\(source)-\(sampler)-\(steps ?? 0)")
        let found = try judge.report(samples)
        try keep {
            $0.qualities.append(
                .init(
                    source: source, sampler: sampler, steps: steps, report: found,
                    seconds: made.seconds > 0 ? made.seconds / Double(samples.count) : nil))
        }
    }

    private func timed(_ body: () throws -> [[Int]]) throws -> (tokens: [[Int]], seconds: Double) {
        let start = ContinuousClock.now
        let tokens = try body()
        return (tokens, (ContinuousClock.now - start) / .seconds(1))
    }

    private func heldOutBlocks(_ count: Int, offset: Int = 0) throws -> [[Int]] {
        let length = plan.base.model.length
        let whole = dataset.heldOut.count / length
        return try (0..<count).map { index in
            try dataset.heldOut.window(at: (index * whole / count + offset) * length, length: length).map { Int($0) }
        }
    }

    /// Texts that meet a network at once.
    private static let group = 32

    private func leftToRight(_ prefixes: [[Int]], _ count: Int, nucleus: Double?) throws -> [[Int]] {
        let sampler = LeftToRightSampler(
            network: try model(.autoregressive).autoregressive(), choice: try TokenChoice(topP: nucleus))
        return try stride(from: 0, to: count, by: Self.group).flatMap { start in
            try stopIfAsked()
            return try sampler.sample(
                (start..<min(start + Self.group, count)).map {
                    .init(prefix: prefixes.isEmpty ? [] : prefixes[$0], seed: UInt64($0))
                }, length: plan.base.model.length)
        }
    }

    private func diffused(_ role: StudyPlan.Role, _ templates: [[Int?]], steps: Int, _ predictor: String) throws
        -> [[Int]]
    {
        let network = try model(role).diffusion()
        let process = try ReverseProcess(network: network, predictor: Predictors.named(predictor))
        let graph = network.configuration.makeGraph()
        var done = 0
        return try stride(from: 0, to: templates.count, by: Self.group).flatMap { start in
            var states = try (start..<min(start + Self.group, templates.count)).map {
                try SequenceState(template: templates[$0], seed: UInt64($0), steps: steps, graph: graph)
            }
            while states.contains(where: { !$0.isFinished }) {
                try stopIfAsked()
                try process.advance(&states)
                done += states.count
                report(.progress("\(steps) steps", Double(done) / Double(templates.count * (steps + 1))))
            }
            return states.map(\.states)
        }
    }

    private struct Line: Encodable {
        let text: String
        let tokens: [Int]?
        let steps: Int?
        let sampler: String?
    }

    private func write(_ samples: [TextSample], _ name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let lines = try samples.map {
            String(
                decoding: try encoder.encode(
                    Line(text: $0.text, tokens: $0.tokens, steps: $0.steps, sampler: $0.sampler)), as: UTF8.self) + "\n"
        }
        let target = folder.appending(path: "samples")
        try FileSystem.createFolder(target)
        let file = name.replacingOccurrences(of: " ", with: "-") + ".jsonl"
        try OutputFile.write(Array(lines.joined().utf8), to: target.appending(path: file))
    }
}
