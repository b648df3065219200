import Files
public import Text
import Torch

/// An autoregressive model that scores texts written by other models.
///
/// Texts are encoded with the judge's own tokenizer, whatever vocabulary they were generated in. A text longer than the
/// judge's context is scored window by window.
public struct Judge: Sendable {
    let network: AutoregressiveNetwork
    let tokenizer: any Tokenizer
    private let tokensPerBatch: Int

    /// - Throws: ``SEDDError`` of kind `invalidData` if tokenizer and network have different vocabularies.
    public init(network: AutoregressiveNetwork, tokenizer: any Tokenizer, tokensPerBatch: Int = 4096) throws(SEDDError)
    {
        guard network.configuration.accepts(vocabulary: tokenizer.vocabularySize) else {
            throw SEDDError(
                .invalidData,
                "the judge's tokenizer has \(tokenizer.vocabularySize) tokens, the judge \(network.configuration.outputs) outputs; choose the one it was trained with"
            )
        }
        self.network = network
        self.tokenizer = tokenizer
        self.tokensPerBatch = tokensPerBatch
    }

    /// Whether the first token of a text is predicted, from the start token that preceded every training text. Released
    /// models were trained without one: for them the first token is given, as in published figures.
    public var predictsFirst: Bool { network.configuration.tokens != nil }

    /// The text encoded with the judge's tokenizer.
    func tokens(_ text: String) throws -> [Int] { try tokenizer.encode(text).map { Int($0) } }

    /// The tokens in which a sample was generated, if the judge decodes them to the same text. They are then scored as
    /// they are, even if they are not valid UTF-8 or not the canonical encoding of their text.
    ///
    /// - Parameter whole: all tokens of the sequence, not only those of the text up to its first end.
    func ownTokens(_ sample: TextSample, whole: Bool = false) -> [Int]? {
        guard let tokens = sample.tokens, tokens.allSatisfy({ (0..<tokenizer.vocabularySize).contains($0) }) else {
            return nil
        }
        let ids = tokens.map { Int32($0) }
        if (try? tokenizer.text(of: ids)) == sample.text { return tokens }
        // A text ends at its end-of-text token; tokens may follow.
        let own = tokenizer.sampled(ids)
        guard whole || !own.isEmpty, (try? tokenizer.text(of: own)) == sample.text else { return nil }
        return whole ? tokens : own.map { Int($0) }
    }

    /// Whether the start token and the text fit the judge's context.
    func hasRoomForStart(_ text: [Int]) -> Bool { text.count < network.configuration.length }

    /// The nats of the predicted tokens of each text.
    ///
    /// - Throws: ``SEDDError`` of kind `diverged` if they are not finite.
    func nats(_ texts: [[Int]], progress: (Double) -> Void = { _ in }) throws -> [[Double]] {
        let length = network.configuration.length
        let windows = texts.indices.flatMap { text in
            stride(from: 0, to: texts[text].count, by: length).map {
                (text: text, tokens: Array(texts[text][$0..<min($0 + length, texts[text].count)]))
            }
        }
        let loss = NextTokenLoss(network: network)
        var found = [[Double]](repeating: [], count: windows.count)
        try batches(windows.map(\.tokens), progress) { places, padded in
            let nats = try loss.nats(padded, fromStart: predictsFirst)
            for (row, place) in places.enumerated() {
                found[place] = Array(nats[row].prefix(windows[place].tokens.count - (predictsFirst ? 0 : 1)))
            }
        }
        var result = [[Double]](repeating: [], count: texts.count)
        for (window, nats) in zip(windows, found) { result[window.text] += nats }
        guard result.joined().allSatisfy(\.isFinite) else {
            throw SEDDError(.diverged, "the judge's probabilities are not finite; check its weights")
        }
        return result
    }

    /// A feature vector per text for MAUVE, from the hidden vectors after the final layer norm. Texts longer than the
    /// judge's context are truncated.
    ///
    /// - Parameter fromStart: whether the judge's start token, if any, precedes each text.
    func features(
        _ texts: [[Int]], _ feature: MauveFeature = .last, fromStart: Bool = true,
        progress: (Double) -> Void = { _ in }
    ) throws -> [[Double]] {
        let start = predictsFirst && fromStart ? [network.configuration.startToken] : []
        let rows = texts.map { Array((start + $0).prefix(network.configuration.length)) }
        var found = [[Double]](repeating: [], count: texts.count)
        let d = network.configuration.hiddenSize
        try batches(rows, progress) { places, padded in
            let width = padded[0].count
            let tokens = try Tensor(padded.flatMap { $0 }, shape: [padded.count, width], device: network.device)
            let hidden = try network.hidden(tokens).reshaped([-1, d])  // [B T, d]
            for (row, place) in places.enumerated() {
                let range = feature.positions(of: texts[place].count, after: start.count, within: rows[place].count)
                let part = try hidden.narrowed(0, from: row * width + range.lowerBound, length: range.count)
                found[place] = try (part.cast(to: .float64).sum(0) * (1 / Double(range.count))).array()
            }
        }
        return found
    }

    /// Batches of sequences of similar length, padded at the end: later tokens do not affect earlier ones.
    private func batches(
        _ sequences: [[Int]], _ progress: (Double) -> Void, _ body: ([Int], [[Int]]) throws -> Void
    ) throws {
        let order = sequences.indices.filter { !sequences[$0].isEmpty }.sorted {
            (sequences[$0].count, $0) < (sequences[$1].count, $1)
        }
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, sequences[order[end]].count * (end + 1 - start) <= tokensPerBatch { end += 1 }
            let places = Array(order[start..<end])
            let width = sequences[places[places.count - 1]].count
            try body(places, places.map { sequences[$0] + [Int](repeating: 0, count: width - sequences[$0].count) })
            start = end
            progress(Double(start) / Double(order.count))
        }
    }
}
