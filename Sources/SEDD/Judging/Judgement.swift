import Files
import Foundation
public import Text

/// Judges a set of texts.
public struct Judgement: Sendable {
    let judge: Judge
    let name: String

    /// - Parameter name: name of the judge in reports.
    public init(_ judge: Judge, name: String) {
        self.judge = judge
        self.name = name
    }

    /// Texts to compare with: the texts of JSON lines, or pieces of a plain text.
    public enum Reference: Sendable {
        /// Texts of JSON lines, as they are.
        case texts([String])
        /// Cut into as many pieces as there are judged texts, evenly spaced, and treated like these: pieces of the
        /// length of the sampled sequences, each up to its first end of text unless whole sequences are judged. If the
        /// sequences are not recorded in the judge's tokens, pieces have the mean length of the judged texts.
        case plain(EvaluationText)
    }

    /// The report on `samples`.
    ///
    /// - Parameters:
    ///   - whole: whether all recorded tokens of a sample are judged, ends of text included, as in published figures;
    ///     otherwise its text, up to its first end.
    ///   - reference: what MAUVE compares with, and its name.
    ///   - feature: how a text is reduced to a vector for MAUVE.
    ///   - seeds: number of runs of MAUVE's clustering.
    /// - Throws: ``SEDDError`` or `TextError`; no text, with `whole` a sample without recorded tokens of the judge's
    ///   vocabulary, or a text that cannot be judged fails the whole report.
    public func report(
        _ samples: [TextSample], whole: Bool = false, reference: (name: String, texts: Reference)? = nil,
        feature: MauveFeature = .last, seeds: Int = 5, progress: (String, Double) -> Void = { _, _ in }
    ) throws -> JudgeReport {
        guard !samples.isEmpty else { throw SEDDError(.usage, "no texts to judge; expected one or more") }
        let own = samples.map { judge.ownTokens($0, whole: whole) }
        if whole, let lacking = own.firstIndex(where: { $0 == nil }) {
            throw SEDDError(
                .invalidData,
                "text \(lacking + 1): its sequence is not recorded in the judge's tokens; judge texts instead of whole sequences"
            )
        }
        let texts = try zip(samples, own).map { try $1 ?? judge.tokens($0.text) }
        let minimum = judge.predictsFirst ? 1 : 2
        if let short = texts.firstIndex(where: { $0.count < minimum }) {
            throw SEDDError(
                .invalidData,
                "text \(short + 1) has \(texts[short].count) tokens for the judge; expected \(minimum) or more: leave it out"
            )
        }
        // Sets that cannot be compared are rejected before the judge runs.
        let sequences = zip(samples, own).map { $1 == nil ? nil : $0.tokens }
        let others = try reference.map { try tokens($0.texts, like: texts, of: sequences, whole: whole) }
        if let others { try Mauve.require(texts.count, others.count) }
        let nats = try judge.nats(texts) { progress("perplexity", $0) }
        let all = nats.joined()
        let perplexity = exp(all.reduce(0, +) / Double(all.count))
        var report = JudgeReport(
            judge: name, count: samples.count, tokens: texts.reduce(0) { $0 + $1.count }, predictedTokens: all.count,
            predictsFirst: judge.predictsFirst, whole: whole ? true : nil,
            retokenized: zip(samples, own).contains { $0.tokens != nil && $1 == nil },
            steps: Self.only(samples.map(\.steps)), sampler: Self.only(samples.map(\.sampler)),
            samplesPrecision: Self.only(samples.map(\.precision)), precision: judge.network.weights.precision.rawValue,
            perplexityOfTokens: perplexity,
            perplexityStandardError: SampleMean.standardError(groups: nats).map { perplexity * $0 },
            perplexityOfTexts: nats.reduce(0) { $0 + exp($1.reduce(0, +) / Double($1.count)) } / Double(nats.count),
            diversity: Diversity(texts))
        if let reference, let others {
            report.mauve = try mauve(texts, others, feature, seeds: seeds, progress: progress)
            report.feature = feature.name
            report.reference = reference.name
            report.referenceCount = others.count
        }
        return report
    }

    /// MAUVE between two sets of texts, in the judge's tokens.
    func mauve(
        _ texts: [[Int]], _ others: [[Int]], _ feature: MauveFeature, seeds: Int,
        progress: (String, Double) -> Void = { _, _ in }
    ) throws -> Mauve.Result {
        // If one text fills the context, no text gets a start token: mixing vectors with and without it would produce
        // two clusters.
        let fromStart = (texts + others).allSatisfy(judge.hasRoomForStart)
        let p = try judge.features(texts, feature, fromStart: fromStart) { progress("features", $0 / 2) }
        let q = try judge.features(others, feature, fromStart: fromStart) { progress("features", 0.5 + $0 / 2) }
        return try Mauve.compare(p, q, seeds: seeds)
    }

    /// - Parameter sequences: the recorded tokens of each text, if they are the judge's.
    private func tokens(
        _ reference: Reference, like texts: [[Int]], of sequences: [[Int]?], whole: Bool
    ) throws -> [[Int]] {
        switch reference {
        case .texts(let texts):
            let tokens = try texts.map { try judge.tokens($0) }.filter { !$0.isEmpty }
            return tokens
        case .plain(let text):
            // Ends of text are cut off only where samples were cut at them.
            let isCut = sequences.allSatisfy { $0 != nil } && !whole
            let own = isCut ? sequences.compactMap(\.self) : texts
            let length = max(1, own.reduce(0) { $0 + $1.count } / own.count)
            try text.requireBlock(of: length)
            let blocks = text.count / length
            let wanted = min(blocks, texts.count)
            let pieces = try (0..<wanted).map { try text.block($0 * blocks / wanted, length: length) }
            guard isCut else { return pieces }
            return pieces.map { judge.tokenizer.sampled($0.map { Int32($0) }).map { Int($0) } }.filter { !$0.isEmpty }
        }
    }

    /// The common value, or nil if values differ.
    private static func only<Value: Equatable>(_ values: [Value?]) -> Value? {
        values.dropFirst().allSatisfy { $0 == values[0] } ? values[0] : nil
    }
}
