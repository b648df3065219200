import Files
public import Text
import Torch

/// A model that writes from left to right, asked what it thinks of texts of others.
///
/// Texts meet it through its own tokenizer, whatever vocabulary they were written in. One that is longer than its positions is
/// judged window by window.
public struct Judge: Sendable {
    let network: AutoregressiveNetwork
    let tokenizer: any Tokenizer
    private let tokensPerBatch: Int

    /// - Throws: ``SEDDError`` of kind `invalidData` where the vocabularies do not go together.
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

    /// Whether the first token of a text is predicted, after the start token that every text of its training had. Released
    /// models have seen no such start: for them it is given, as in published figures.
    public var predictsFirst: Bool { network.configuration.tokens != nil }

    /// The judge's tokens of a text.
    func tokens(_ text: String) throws -> [Int] { try tokenizer.encode(text).map { Int($0) } }

    /// The tokens that a sample was written in, where they say the same text to the judge: they are what is judged then, also where
    /// a model has written bytes that are no text, or a token that no text is read as.
    func ownTokens(_ sample: TextSample) -> [Int]? {
        guard let tokens = sample.tokens, tokens.allSatisfy({ (0..<tokenizer.vocabularySize).contains($0) }) else {
            return nil
        }
        let ids = tokens.map { Int32($0) }
        if (try? tokenizer.text(of: ids)) == sample.text { return tokens }
        // A text ends where its end of text stands, and its tokens go on.
        let own = tokenizer.sampled(ids)
        guard !own.isEmpty, (try? tokenizer.text(of: own)) == sample.text else { return nil }
        return own.map { Int($0) }
    }

    /// Whether the start token and the text fit the judge's positions.
    func hasRoomForStart(_ text: [Int]) -> Bool { text.count < network.configuration.length }

    /// The nats of the predicted tokens of each text.
    ///
    /// - Throws: ``SEDDError`` of kind `diverged` where they are no numbers.
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

    /// A vector for each text, from the hidden vectors after the final layer norm: what MAUVE compares. Texts longer than the
    /// judge's positions are cut.
    ///
    /// - Parameter fromStart: whether the start token, where the judge has one, stands before each text.
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
            let hidden = try network.hidden(tokens).reshaped([-1, d])
            for (row, place) in places.enumerated() {
                let range = feature.positions(of: texts[place].count, after: start.count, within: rows[place].count)
                let part = try hidden.narrowed(0, from: row * width + range.lowerBound, length: range.count)
                found[place] = try (part.cast(to: .float64).sum(0) * (1 / Double(range.count))).array()
            }
        }
        return found
    }

    /// Sequences batched with others of about their length, filled up behind: what follows a token does not change it.
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
