import Files
import Foundation
public import Text

/// The likelihood of a data set over consecutive blocks: no overlap, no sliding window, and an incomplete last block is
/// dropped.
public struct Evaluation: Sendable {
    /// Tokens per block.
    public let length: Int
    /// Number of blocks to evaluate, spread evenly over the data; nil for all.
    public let blocks: Int?

    /// - Throws: ``SEDDError`` of kind `usage` for fewer than one block or one token.
    public init(length: Int, blocks: Int? = nil) throws(SEDDError) {
        guard length >= 1, blocks ?? 1 >= 1 else {
            throw SEDDError(
                .usage, "\(blocks ?? 1) blocks of \(length) tokens were asked for; expected 1 or more of each")
        }
        self.length = length
        self.blocks = blocks
    }

    /// Progress of an evaluation.
    public struct Progress: Sendable {
        /// Blocks evaluated so far, and blocks in total.
        public let done, total: Int
        /// How many of the ``done`` blocks come from an earlier call.
        public let kept: Int
        /// Nats per token so far.
        public let mean: Double
    }

    /// Evaluates `text` under `likelihood`.
    ///
    /// - Parameters:
    ///   - log: stores finished blocks and supplies those of an earlier call.
    ///   - team: the processes that share the blocks; only the first has a log. All return the same report as one
    ///     process.
    ///   - eachBlock: called at the end with the nats per token of each block, in order; two models are compared by the
    ///     differences over the same blocks.
    ///   - shouldStop: checked after each batch.
    /// - Throws: `TextError` if the data contain no complete block; ``SEDDError`` of kind `diverged` if a likelihood is
    ///   not finite, `interrupted` if `shouldStop` returns true.
    public func run(
        _ text: EvaluationText, _ likelihood: some BlockLikelihood, log: EvaluationLog? = nil, team: Team = .alone,
        eachBlock: ([Double]) -> Void = { _ in }, shouldStop: () -> Bool = { false },
        progress: (Progress) -> Void = { _ in }
    ) throws -> EvaluationReport {
        try text.requireBlock(of: length)
        guard likelihood.tokens(inBlockOf: length) >= 1 else {
            throw SEDDError(.usage, "blocks of \(length) leave no token to predict; choose a greater --length")
        }
        let start = ContinuousClock.now
        let whole = text.count / length
        let wanted = min(whole, blocks ?? whole)
        let numbers = (0..<wanted).map { $0 * whole / wanted }
        var found = try team.broadcast(log?.blocks(terms: likelihood.terms.count) ?? [:], "finished blocks")
        var sum = EvaluationSum(tokensPerBlock: likelihood.tokens(inBlockOf: length))
        for number in numbers { if let nats = found[number] { sum.add(nats) } }
        let kept = sum.count
        // Batches always contain the same blocks, so a resumed evaluation gives identical numbers.
        let group = likelihood.blocksAtOnce(length: length)
        let batches = stride(from: 0, to: numbers.count, by: group).map {
            numbers[$0..<min($0 + group, numbers.count)]
        }.filter { $0.contains { found[$0] == nil } }
        // Each process evaluates one batch per round.
        for first in stride(from: 0, to: batches.count, by: team.size) {
            let round = batches[first..<min(first + team.size, batches.count)]
            for (number, nats) in zip(round.joined(), try nats(round, of: text, likelihood, team)) {
                guard nats.allSatisfy(\.isFinite) else {
                    throw SEDDError(
                        .diverged,
                        "\(text.specification): the likelihood of block \(number) is \(nats); the model's outputs are not finite: check its weights"
                    )
                }
                guard found.updateValue(nats, forKey: number) == nil else { continue }
                sum.add(nats)
                try log?.add(number, nats)
            }
            progress(Progress(done: sum.count, total: wanted, kept: kept, mean: sum.mean))
            if try team.agree(shouldStop(), "whether to stop"), sum.count < wanted {
                throw SEDDError(
                    .interrupted,
                    "\(text.specification): stopped after \(sum.count) of \(wanted) blocks"
                        + (log == nil ? "" : "; run the same command to continue"))
            }
        }
        // Summed in block order, so that a resumed evaluation gives identical numbers.
        var total = EvaluationSum(tokensPerBlock: likelihood.tokens(inBlockOf: length))
        var bytes = 0
        let given = length - likelihood.tokens(inBlockOf: length)
        for number in numbers {
            if let nats = found[number] { total.add(nats) }
            bytes += text.bytes(of: try text.block(number, length: length).dropFirst(given))
        }
        eachBlock(total.values)
        let counts = try team.sum(
            likelihood.evaluations.map { [Double($0.blocks), Double($0.passes)] } ?? [], "evaluations")
        return EvaluationReport(
            text: text, length: length, likelihood: likelihood,
            evaluationsPerBlock: counts.first.flatMap { $0 > 0 ? counts[1] / $0 : nil }, sum: total, bytes: bytes,
            seconds: (ContinuousClock.now - start) / .seconds(1))
    }

    /// The terms of all blocks of a round, in which each process evaluates at most one batch.
    private func nats(
        _ round: ArraySlice<ArraySlice<Int>>, of text: EvaluationText, _ likelihood: some BlockLikelihood, _ team: Team
    ) throws -> [[Double]] {
        let place = round.startIndex + team.rank
        let own = round.indices.contains(place) ? round[place] : []
        let part = try own.map { (number: $0, tokens: try text.block($0, length: length)) }
        let values = part.isEmpty ? [] : try likelihood.nats(part).flatMap { $0 }
        let width = likelihood.terms.count
        let before = round.prefix(team.rank).reduce(0) { $0 + $1.count } * width
        let all = try team.gathered(
            values, share: before..<before + values.count, of: round.joined().count * width, "blocks")
        return stride(from: 0, to: all.count, by: width).map { Array(all[$0..<$0 + width]) }
    }
}

/// Sums over blocks, from which the mean and its standard error are computed.
struct EvaluationSum {
    let tokensPerBlock: Int
    private(set) var count = 0
    private(set) var terms: [Double] = []
    private var totals: [Double] = []

    init(tokensPerBlock: Int) { self.tokensPerBlock = tokensPerBlock }

    mutating func add(_ nats: [Double]) {
        if terms.isEmpty { terms = [Double](repeating: 0, count: nats.count) }
        for (index, value) in nats.enumerated() { terms[index] += value }
        totals.append(nats.reduce(0, +))
        count += 1
    }

    /// Tokens in all blocks.
    var tokens: Int { count * tokensPerBlock }
    /// Nats per token.
    var mean: Double { totals.reduce(0, +) / Double(max(1, tokens)) }
    /// Nats per token, by term.
    var means: [Double] { terms.map { $0 / Double(max(1, tokens)) } }

    /// Nats per token of each block.
    var values: [Double] { totals.map { $0 / Double(tokensPerBlock) } }

    /// Standard error of the mean over blocks, nats per token; nil for a single block.
    var standardError: Double? { SampleMean.standardError(values) }
}
