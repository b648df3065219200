import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

@Suite struct JudgeTests {
    private let tokenizer = (try? CharacterTokenizer(alphabetOf: "abcdefghijk")).map { $0 as any Tokenizer }

    private func judge(released: Bool = false, tokensPerBatch: Int = 4096) throws -> Judge {
        let made = try randomAutoregressive(length: 12)
        guard released else {
            return try Judge(network: made, tokenizer: #require(tokenizer), tokensPerBatch: tokensPerBatch)
        }
        // Like a released model: without tokens of its own, so nothing marks the start of a text.
        var configuration = made.configuration
        configuration.tokens = nil
        configuration.vocabularySize = 11
        configuration.startToken = 0
        let network = try AutoregressiveNetwork(configuration, seed: 1)
        for entry in network.weights.layout.entries where entry.name != AutoregressiveNetwork.embeddingName {
            try network.weights(entry.name).copyInPlace(made.weights(entry.name))
        }
        return try Judge(network: network, tokenizer: #require(tokenizer))
    }

    private let texts = ["abcab", "kkkkkkkkkk", "a", "hgfedcbahg", "abcabcabcabcabcabc"]

    /// Batching by length and padding do not change results; a text longer than the context is judged window by window.
    @Test func perplexitiesByHand() throws {
        for released in [false, true] {
            let judge = try judge(released: released)
            let samples = texts.filter { !released || $0.count > 1 }
            let report = try Judgement(judge, name: "j").report(samples.map { TextSample(text: $0) })
            let loss = NextTokenLoss(network: judge.network)
            let nats = try samples.map { text -> [Double] in
                let ids = try judge.tokens(text)
                let windows = [Array(ids.prefix(12)), Array(ids.dropFirst(12))].filter { !$0.isEmpty }
                return try windows.flatMap { try loss.nats([$0], fromStart: !released)[0] }
            }
            let all = nats.joined()
            #expect(abs(report.perplexityOfTokens / exp(all.reduce(0, +) / Double(all.count)) - 1) < 1e-6)
            let means = nats.map { exp($0.reduce(0, +) / Double($0.count)) }
            #expect(abs(report.perplexityOfTexts / (means.reduce(0, +) / Double(means.count)) - 1) < 1e-6)
            // The jackknife over texts gives the same standard error but for terms of second order.
            let ratio = { (kept: [[Double]]) in kept.joined().reduce(0, +) / Double(kept.joined().count) }
            let without = nats.indices.map { left in
                ratio(nats.enumerated().filter { $0.offset != left }.map(\.element))
            }
            let (count, mean) = (Double(nats.count), without.reduce(0, +) / Double(nats.count))
            let jackknife = (without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } * (count - 1) / count).squareRoot()
            let error = try #require(report.perplexityStandardError) / report.perplexityOfTokens
            #expect(abs(error / jackknife - 1) < 0.5, "\(error), \(jackknife)")
            #expect(report.predictedTokens == (released ? 43 - 5 : 44))
            #expect(report.predictsFirst == !released)
        }
    }

    /// Texts of equal length: the standard error of a mean. Texts of different lengths: half the spread of two sums.
    @Test func standardErrors() throws {
        let even = try #require(SampleMean.standardError(groups: [[1, 3], [2, 4], [6, 2]]))  // means 2, 3, 4
        #expect(abs(even - (1.0 / 3).squareRoot()) < 1e-12)
        #expect(try #require(SampleMean.standardError([2, 3, 4])) == even)
        // The mean is 2, the residuals 4 - 2 and 6 - 8 over 5 values.
        let uneven = try #require(SampleMean.standardError(groups: [[4], [2, 1, 2, 1]]))
        #expect(abs(uneven - (8 * 2.0).squareRoot() / 5) < 1e-12)
        #expect(SampleMean.standardError(groups: [[1, 2]]) == nil && SampleMean.standardError([]) == nil)
        #expect(throws: SEDDError.self) { try Judgement(judge(), name: "j").report([]) }
    }

    @Test func diversityByHand() {
        let found = Diversity([[1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 1, 2, 3, 4]])
        #expect(abs(found.entropy - log(4) / 2) < 1e-12)
        // 0 and log 4: each log 4 / 2 from their mean.
        #expect(abs((found.entropyStandardError ?? 0) - log(4) / 2) < 1e-12)
        // 8 of 14 are 1, two each of 2, 3 and 4.
        let (often, seldom) = (8.0 / 14, 2.0 / 14)
        let expected = -often * log(often) - 3 * seldom * log(seldom)
        #expect(abs(found.pooledEntropy - expected) < 1e-12)
        #expect(found.distinct[0] == 4.0 / 14)
        // (1 1) five times; 12 23 34 41 12 23 34: five kinds among twelve.
        #expect(found.distinct[1] == 5.0 / 12)
        // 1111 three times: two of three seen before. 1234 2341 3412 4123 1234: one of five.
        let repetition = (2.0 / 3 + 1.0 / 5) / 2
        #expect(abs((found.repetition ?? 0) - repetition) < 1e-12)
        #expect(Diversity([[1]]).distinct[1] == nil && Diversity([[1]]).repetition == nil)
    }

    @Test func featuresAreThoseOfTheLastToken() throws {
        let judge = try judge(tokensPerBatch: 30)
        let tokens = try texts.map { try judge.tokens($0) }
        let found = try judge.features(tokens)
        for (text, vector) in zip(tokens, found) {
            let row = Array(([judge.network.configuration.startToken] + text).prefix(12))
            let hidden = try judge.network.hidden(Tensor(row, shape: [1, row.count])).selected(1, row.count - 1)
            let difference = Difference(vector, try hidden.array())
            #expect(difference.absolute < 1e-5, "\(difference)")
        }
    }

    @Test func featuresOfAPart() throws {
        let judge = try judge(tokensPerBatch: 30)
        let tokens = [try judge.tokens("abcabcab"), try judge.tokens("bca")]
        let whole = try judge.features(tokens, .mean)
        let part = try judge.features(tokens, .range(1..<3))
        for (index, text) in tokens.enumerated() {
            let row = [judge.network.configuration.startToken] + text
            let hidden = try judge.network.hidden(Tensor(row, shape: [1, row.count])).reshaped([row.count, -1])
            for (found, range) in [(whole[index], 1..<row.count), (part[index], 2..<4)] {
                let mean = try hidden.narrowed(0, from: range.lowerBound, length: range.count).sum(0)
                let difference = Difference(found, try (mean * (1 / Double(range.count))).array())
                #expect(difference.absolute < 1e-5, "\(difference)")
            }
        }
        // A range outside a text selects its nearest token.
        #expect(try judge.features(tokens, .range(7..<8))[1] == judge.features(tokens, .last)[1])
    }

    /// Rows of other tools may use our members' names for something else.
    @Test func otherRows() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "rows.jsonl")
        try Data("{\"text\":\"abc\",\"tokens\":3,\"steps\":\"x\",\"sampler\":5,\"seed\":-0.5}\n".utf8).write(to: file)
        #expect(try TextSample.read(file) == [TextSample(text: "abc")])
    }

    @Test func whatLinesSayIsKept() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "s.jsonl")
        try Data(
            "{\"text\":\"abc\",\"tokens\":[0,1,2],\"steps\":8,\"sampler\":\"analytic\",\"seed\":1}\n{\"text\":\"bbb\",\"steps\":8,\"sampler\":\"euler\"}\n"
                .utf8
        ).write(to: file)
        let samples = try TextSample.read(file)
        let report = try Judgement(judge(), name: "small").report(samples)
        #expect(report.steps == 8 && report.sampler == nil && !report.retokenized && report.judge == "small")
        let other = try Judgement(judge(), name: "small").report([TextSample(text: "abc", tokens: [7])])
        #expect(other.retokenized)
        let keys = try #require(JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any])
        for key in ["judge", "count", "steps", "precision", "perplexity_of_tokens", "perplexity_of_texts", "diversity"]
        {
            #expect(keys[key] != nil, "\(key)")
        }
        let plain = folder.url.appending(path: "s.txt")
        for end in ["\n", "\r\n"] {
            try Data("abc\(end)\(end)  \(end)bbb\(end)".utf8).write(to: plain)
            #expect(try TextSample.read(plain).map(\.text) == ["abc", "bbb"])
        }
        try Data("{\"text\":\"a\",\"sampler\":\"left-to-right\",\"topP\":0.9,\"precision\":\"float32\"}\r\n".utf8)
            .write(to: file)
        let drawn = try TextSample.read(file)
        #expect(drawn.map(\.sampler) == ["left-to-right, top-p 0.9"] && drawn.map(\.precision) == ["float32"])
    }

    /// Tokens that the judge decodes to the sample's text are used as given, even if they are not valid UTF-8.
    @Test func ownTokensAreJudged() throws {
        let network = try AutoregressiveNetwork(
            AutoregressiveConfiguration(
                tokens: 256, endOfText: nil, hiddenSize: 16, length: 16, nBlocks: 1, nHeads: 2, dropout: 0,
                tokenizer: "byte"), seed: 1)
        let judge = try Judge(network: network, tokenizer: ByteTokenizer())
        let broken = TextSample(text: "a\u{FFFD}b", tokens: [97, 0xFF, 98])
        let report = try Judgement(judge, name: "j").report([broken])
        #expect(report.tokens == 3 && !report.retokenized)
        let foreign = try Judgement(judge, name: "j").report([TextSample(text: "ab", tokens: [5000, 7])])
        #expect(foreign.tokens == 2 && foreign.retokenized)
    }

    /// The vector of the last token sees that token even if a text fills the context.
    @Test func theLastTokenCounts() throws {
        let judge = try judge()
        let judgement = Judgement(judge, name: "j")
        let stream = RandomStream(seed: 6, purpose: .windows)
        // Twelve tokens, as many as the judge's context, that differ between the two sets only in the last.
        let texts = (0..<40).map { text -> [Int] in
            (0..<12).map { stream.integer(below: 10, step: 0, sequence: text, position: $0) }
        }
        let changed = texts.map { text -> [Int] in Array(text.dropLast()) + [10] }
        let same = try judgement.mauve(texts, texts, .last, seeds: 2)
        let other = try judgement.mauve(texts, changed, .last, seeds: 2)
        #expect(same.score > other.score + 0.1, "\(same.score) \(other.score)")
    }

    @Test func mauveOfTexts() throws {
        let judge = try judge()
        let stream = RandomStream(seed: 4, purpose: .windows)
        func texts(_ seed: Int, _ letters: Int) -> [TextSample] {
            (0..<60).map { text in
                let values = (0..<10).map { stream.integer(below: letters, step: seed, sequence: text, position: $0) }
                return TextSample(
                    text: String(values.map { "abcdefghijk"[String.Index(utf16Offset: $0, in: "abcdefghijk")] }))
            }
        }
        func score(_ p: [TextSample], _ q: [TextSample]) throws -> Double {
            let report = try Judgement(judge, name: "j").report(p, reference: ("q", .texts(q.map(\.text))), seeds: 5)
            #expect(report.referenceCount == 60)
            return try #require(report.mauve).score
        }
        let (same, other) = (try score(texts(1, 11), texts(2, 11)), try score(texts(1, 11), texts(2, 2)))
        #expect(same > 0.5 && other < 0.6 * same, "\(same) \(other)")
        let error = #expect(throws: SEDDError.self) {
            try Judgement(judge, name: "j").report(texts(1, 11), reference: ("q", .texts(["abc"])))
        }
        #expect(error?.description.contains("60 and 1 texts are too few for MAUVE") == true)
    }

    /// A tokenizer of bytes with an end of text, and a judge of its vocabulary.
    private func ending() throws -> Judge {
        let folder = try TemporaryFolder()
        try BytePairTrainer(size: 257, specials: ["<|endoftext|>"]).train(texts: ["ab"]).write(to: folder.url)
        return try Judge(network: randomAutoregressive(tokens: 257), tokenizer: BytePairTokenizer(json: folder.url))
    }

    /// A text ends at its first end of text; a whole sequence has all that was recorded.
    @Test func wholeSequences() throws {
        let judge = try ending()
        let end = try #require(judge.tokenizer.endOfText.map { Int($0) })
        let (ab, cd) = (try judge.tokens("ab"), try judge.tokens("cd"))
        let sequences = [ab + [end] + cd, [end] + cd + [end]]
        #expect(judge.ownTokens(TextSample(text: "", tokens: [end, end]), whole: true) == [end, end])
        let samples = [TextSample(text: "ab", tokens: sequences[0]), TextSample(text: "cd", tokens: sequences[1])]
        let judgement = Judgement(judge, name: "j")
        for (whole, scored) in [(false, [ab, cd]), (true, sequences)] {
            let report = try judgement.report(samples, whole: whole)
            let all =
                try NextTokenLoss(network: judge.network).nats([scored[0]], fromStart: true)[0]
                + NextTokenLoss(network: judge.network).nats([scored[1]], fromStart: true)[0]
            #expect(report.tokens == all.count && report.whole == (whole ? true : nil) && !report.retokenized)
            #expect(abs(report.perplexityOfTokens / exp(all.reduce(0, +) / Double(all.count)) - 1) < 1e-6)
            #expect(report.lines[0].contains(whole ? "2 whole sequences of 9" : "2 texts of 4"), "\(report.lines[0])")
        }
        let error = #expect(throws: SEDDError.self) {
            try judgement.report(samples + [TextSample(text: "ab")], whole: true)
        }
        #expect(error?.description.contains("text 3: its sequence is not recorded") == true)
    }

    /// Pieces of a plain reference are cut like the samples, so that samples from the reference itself are not told
    /// from it.
    @Test(arguments: [false, true]) func plainReferences(_ whole: Bool) throws {
        let judge = try ending()
        let stream = RandomStream(seed: 6, purpose: .windows)
        let documents = (0..<80).map { number -> String in
            let length = 4 + stream.integer(below: 5, step: 0, sequence: number, position: 0)
            return String(
                (0..<length).map { position -> Character in
                    Character(
                        UnicodeScalar(
                            UInt8(97 + stream.integer(below: 26, step: 1, sequence: number, position: position))))
                })
        }
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "texts.txt")
        try Data(documents.joined(separator: "<|endoftext|>").utf8).write(to: file)
        let text = try EvaluationText(DataSpecification(file.path), tokenizer: judge.tokenizer)
        let samples = try (0..<text.count / 12).map { block -> TextSample in
            let tokens = try text.block(block, length: 12)
            return TextSample(text: try judge.tokenizer.text(ofSample: tokens.map { Int32($0) }), tokens: tokens)
        }
        let report = try Judgement(judge, name: "j").report(
            samples, whole: whole, reference: ("t", .plain(text)), seeds: 2)
        #expect(report.referenceCount == samples.count)
        #expect(try #require(report.mauve).score > 0.99, "\(String(describing: report.mauve))")
    }

    @Test func whatCannotBeJudged() throws {
        let empty = #expect(throws: SEDDError.self) {
            try Judgement(judge(released: true), name: "j").report([TextSample(text: "ab"), TextSample(text: "a")])
        }
        #expect(empty?.description.contains("text 2 has 1 tokens") == true)
        #expect(throws: SEDDError.self) {
            try Judge(network: randomAutoregressive(tokens: 5), tokenizer: ByteTokenizer())
        }
        let broken = try randomAutoregressive(length: 12)
        try broken.weights("transformer.ln_f.bias").copyInPlace(Tensor.full([], .nan))
        let error = #expect(throws: SEDDError.self) {
            try Judgement(Judge(network: broken, tokenizer: #require(tokenizer)), name: "j").report([
                TextSample(text: "ab")
            ])
        }
        #expect(error?.kind == .diverged)
    }
}
