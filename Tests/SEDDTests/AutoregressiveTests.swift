import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

/// A small autoregressive model whose every weight is random.
func randomAutoregressive(tokens: Int = 11, endOfText: Int? = nil, length: Int = 12, seed: UInt64 = 5) throws
    -> AutoregressiveNetwork
{
    let network = try AutoregressiveNetwork(
        AutoregressiveConfiguration(
            tokens: tokens, endOfText: endOfText, hiddenSize: 24, length: length, nBlocks: 2, nHeads: 3, dropout: 0.1),
        seed: seed)
    let stream = RandomStream(seed: seed, purpose: .initialization)
    for (place, entry) in network.weights.layout.entries.enumerated() {
        let values = (0..<entry.count).map {
            Float(
                (entry.name.contains("ln_") && entry.name.hasSuffix("weight") ? 1 : 0)
                    + 0.4 * (2 * stream.uniform(step: 1, sequence: place, position: $0) - 1))
        }
        try network.weights(entry.name).copyInPlace(Tensor(values, shape: entry.shape))
    }
    return network
}

@Suite struct AutoregressiveTests {
    @Test(.enabled(if: Shared.hasGolden)) func goldenValues() throws {
        let folder = Shared.golden.appending(path: "gpt2")
        let network = try LanguageModel.load(folder).autoregressive()
        let expected = try Safetensors(contentsOf: folder.appending(path: "expected.safetensors"))
        let tokens = try expected.tensor("tokens")
        let hidden = try network.hidden(tokens)
        let logits = try network.logits(hidden.reshaped([3 * 29, -1]))
        let sequences = try (0..<3).map { try tokens.selected(0, $0).array(Int.self) }
        let nats = try NextTokenLoss(network: network).nats(sequences, fromStart: false)
        for (name, found) in [
            ("last_hidden", try hidden.array(Double.self)), ("logits", try logits.array()),
            ("nll", nats.flatMap { $0 }),
        ] {
            let difference = Difference(found, try expected.tensor(name).array())
            print("gpt2 \(name): \(difference)")
            #expect(difference.absolute < 1e-4, "\(name): \(difference)")
        }
    }

    // Older files name their tensors without `transformer.`, keep the masks of attention and the tied head.
    @Test(.enabled(if: Shared.hasGolden)) func otherNamesOfTheSameWeights() throws {
        let folder = try TemporaryFolder()
        let source = Shared.golden.appending(path: "gpt2")
        let file = try Safetensors(contentsOf: source.appending(path: "model.safetensors"))
        var tensors = try file.names.map {
            (name: $0.replacingOccurrences(of: "transformer.", with: ""), tensor: try file.tensor($0))
        }
        tensors.append(("lm_head.weight", try file.tensor("transformer.wte.weight")))
        tensors.append(("h.0.attn.bias", try Tensor.zeros([1, 1, 40, 40])))
        tensors.append(("h.0.attn.masked_bias", try Tensor.zeros([])))
        try Safetensors.write(tensors, to: folder.url.appending(path: "model.safetensors"))
        try FileManager.default.copyItem(
            at: source.appending(path: "config.json"), to: folder.url.appending(path: "config.json"))
        let (a, b) = (try AutoregressiveFolder.load(source), try AutoregressiveFolder.load(folder.url))
        #expect(try a.weights.flat.array(Float.self) == b.weights.flat.array(Float.self))
        // What is written here is read back.
        let copy = folder.url.appending(path: "copy")
        try AutoregressiveFolder.save(a.configuration, a.weights, to: copy)
        let c = try AutoregressiveFolder.load(copy)
        #expect(c.configuration == a.configuration)
        #expect(try a.weights.flat.array(Float.self) == c.weights.flat.array(Float.self))
    }

    /// The gradient of every tensor against central differences of the loss along random directions.
    @Test(arguments: [nil, 3]) func gradientIsTheDerivative(_ endOfText: Int?) throws {
        let network = try randomAutoregressive(endOfText: endOfText)
        let loss = NextTokenLoss(network: network)
        let sequences = [[1, 5, 2, 9, 0, 10], [4, 4, 7, 1, 8, 3]]
        let gradients = try Weights(layout: network.weights.layout)
        for entry in network.weights.layout.entries {
            let weight = try network.weights(entry.name)
            try weight.requireGradient()
            try weight.accumulateGradient(into: gradients(entry.name))
        }
        let losses = try loss.accumulateGradients(sequences, scale: 0.5, dropout: nil, into: gradients)
        let direct = try loss.nats(sequences).map { $0.reduce(0, +) }
        #expect(Difference(losses, direct).relative < 1e-6)
        for entry in network.weights.layout.entries { try network.weights(entry.name).requireGradient(false) }
        let stream = RandomStream(seed: 2, purpose: .initialization)
        for (place, entry) in network.weights.layout.entries.enumerated() {
            let weight = try network.weights(entry.name)
            let direction = try Tensor(
                (0..<entry.count).map { Float(2 * stream.uniform(step: 9, sequence: place, position: $0) - 1) },
                shape: entry.shape)
            let slope = try (gradients(entry.name) * direction).sum().item()
            let step = 2e-3
            var values: [Double] = []
            for sign in [1.0, -1] {
                try weight.addInPlace(direction, scale: sign * step)
                values.append(try loss.nats(sequences).joined().reduce(0, +) * 0.5)
                try weight.addInPlace(direction, scale: -sign * step)
            }
            let expected = (values[0] - values[1]) / (2 * step)
            #expect(abs(slope - expected) < 2e-2 * max(0.05, abs(expected)), "\(entry.name): \(slope), \(expected)")
        }
    }

    /// A model trained with a start token gets it in either convention; a released one only in the exact one.
    @Test func conventionsOfTheFirstToken() throws {
        let network = try randomAutoregressive()
        let block = [3, 1, 4, 1, 5]
        let nats = try NextTokenLoss(network: network).nats([block])[0]
        let exact = try ExactLikelihood(network: network).nats([(number: 0, tokens: block)])[0][0]
        let published = ExactLikelihood(network: network, convention: .published)
        #expect(abs(exact - nats.reduce(0, +)) < 1e-9)
        #expect(abs(try published.nats([(number: 0, tokens: block)])[0][0] - nats.dropFirst().reduce(0, +)) < 1e-9)
        #expect(published.tokens(inBlockOf: 5) == 4)
        var configuration = network.configuration
        configuration.tokens = nil
        let released = try AutoregressiveNetwork(configuration, network.weights)
        let given = try NextTokenLoss(network: released).nats([block], fromStart: false)[0].reduce(0, +)
        let found = try ExactLikelihood(network: released, convention: .published).nats([(number: 0, tokens: block)])
        #expect(abs(found[0][0] - given) < 1e-9)
    }

    /// Probabilities of all sequences sum to 1: the start token takes none, and the first token is predicted.
    @Test(arguments: [nil, 2]) func probabilitiesAddUp(_ endOfText: Int?) throws {
        let network = try randomAutoregressive(tokens: 3, endOfText: endOfText)
        let sequences = (0..<27).map { [$0 / 9, $0 / 3 % 3, $0 % 3] }
        let total = try NextTokenLoss(network: network).nats(sequences).reduce(0) { $0 + exp(-$1.reduce(0, +)) }
        #expect(abs(total - 1) < 1e-5, "\(total)")
    }

    /// The cache does not change results: position by position, and after a prefix, hidden vectors are equal.
    @Test func cachedEqualsWhole() throws {
        let network = try randomAutoregressive()
        let tokens = [3, 1, 4, 1, 5, 9, 2, 6]
        let whole = try network.hidden(Tensor(tokens, shape: [1, 8])).array(Double.self)
        for prefix in [1, 4, 8] {
            let cache = try KeyValueCache(network.configuration, sequences: 1, capacity: 8, device: .cpu)
            var found = try network.hidden(
                Tensor(Array(tokens[..<prefix]), shape: [1, prefix]), cache: cache, dropout: nil
            )
            .array(Double.self)
            for token in tokens[prefix...] {
                found += try network.hidden(Tensor([token], shape: [1, 1]), cache: cache, dropout: nil).array(
                    Double.self)
            }
            let difference = Difference(found, whole)
            #expect(difference.absolute < 1e-5, "prefix \(prefix): \(difference)")
            #expect(throws: SEDDError.self) {
                try network.hidden(Tensor([1], shape: [1, 1]), cache: cache, dropout: nil)
            }
        }
    }

    /// Samples follow the model's distribution: chi-square over all 9 sequences of two tokens.
    @Test func samplesFollowTheLaw() throws {
        let network = try randomAutoregressive(tokens: 3)
        let sequences = (0..<9).map { [$0 / 3, $0 % 3] }
        let law = try NextTokenLoss(network: network).nats(sequences).map { exp(-$0.reduce(0, +)) }
        let draws = 9000
        let found = try AutoregressiveSampler(network: network, choice: TokenChoice())
            .sample((0..<draws).map { .init(seed: UInt64($0)) }, length: 2)
        let statistic = zip(sequences, law).reduce(0.0) { sum, part in
            let count = Double(found.count { $0 == part.0 })
            return sum + (count - part.1 * Double(draws)) * (count - part.1 * Double(draws)) / (part.1 * Double(draws))
        }
        // Chi-square with 8 degrees of freedom exceeds 42 with probability 1.3e-6, were the seeds drawn anew.
        #expect(statistic < 42, "\(statistic)")
    }

    @Test func batchesAndPrefixes() throws {
        let network = try randomAutoregressive()
        let sampler = AutoregressiveSampler(network: network, choice: try TokenChoice(temperature: 0.8, topP: 0.9))
        let requests = (0..<5).map { AutoregressiveSampler.Request(prefix: [$0, 7], seed: UInt64($0 + 3)) }
        let together = try sampler.sample(requests, length: 12)
        for (index, request) in requests.enumerated() {
            #expect(together[index].starts(with: request.prefix) && together[index].count == 12)
            #expect(try sampler.sample([request], length: 12) == [together[index]])
        }
        #expect(try sampler.sample([.init(prefix: [1, 2], seed: 1)], length: 2) == [[1, 2]])
        #expect(throws: SEDDError.self) { try sampler.sample([.init(prefix: [11], seed: 1)], length: 3) }
        #expect(throws: SEDDError.self) { try sampler.sample([.init(seed: 1)], length: 13) }
        #expect(throws: SEDDError.self) { try sampler.sample([.init(prefix: [1, 2], seed: 1)], length: 1) }
    }

    /// The distribution that each filter leaves, measured with evenly spaced draws.
    @Test func choices() throws {
        let weights = [0.4, 0.05, 0.3, 0.25]
        let logits = try Tensor(weights.map { log($0) }, shape: [1, 4]).expanded([4000, 4])
        let uniforms = (0..<4000).map { (Double($0) + 0.5) / 4000 }
        func shares(_ choice: TokenChoice) throws -> [Double] {
            var counts = [Double](repeating: 0, count: 4)
            for token in try choice.draw(logits, uniforms: uniforms) { counts[token] += 1.0 / 4000 }
            return counts
        }
        func normal(_ values: [Double]) -> [Double] { values.map { $0 / values.reduce(0, +) } }
        let table: [(TokenChoice, [Double])] = [
            (try TokenChoice(), weights),
            (try TokenChoice(temperature: 0.5), normal(weights.map { $0 * $0 })),
            (try TokenChoice(topK: 2), normal([0.4, 0, 0.3, 0])),
            (try TokenChoice(topK: 1), [1, 0, 0, 0]),
            (try TokenChoice(topP: 0.5), normal([0.4, 0, 0.3, 0])),
            (try TokenChoice(topP: 0.72), normal([0.4, 0, 0.3, 0.25])),
            (try TokenChoice(topP: 1e-9), [1, 0, 0, 0]), (try TokenChoice(temperature: 1e-30), [1, 0, 0, 0]),
            (try TokenChoice(temperature: .leastNormalMagnitude), [1, 0, 0, 0]),
            (try TokenChoice(temperature: .leastNonzeroMagnitude), [1, 0, 0, 0]),
            (try TokenChoice(topP: 1), weights),
            (try TokenChoice(topK: 3, topP: 0.5), normal([0.4, 0, 0.3, 0])),
        ]
        for (choice, expected) in table {
            let difference = Difference(try shares(choice), expected)
            #expect(difference.absolute < 6e-4, "\(choice): \(difference)")
        }
        for make in [
            { try TokenChoice(temperature: 0) }, { try TokenChoice(topK: 0) }, { try TokenChoice(topP: 0) },
            { try TokenChoice(topP: 1.5) },
        ] { #expect(throws: SEDDError.self) { try make() } }
        let broken = try Tensor.full([1, 4], .nan)
        #expect(throws: SEDDError.self) { try TokenChoice().draw(broken, uniforms: [0.5]) }
    }

    @Test func configurationsThatAreNotGPT2() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "config.json")
        let good = [
            "\"model_type\":\"gpt2\"", "\"vocab_size\":10", "\"n_positions\":8", "\"n_embd\":6", "\"n_layer\":1",
            "\"n_head\":3", "\"bos_token_id\":0",
        ]
        func message(_ fields: [String]) throws -> String {
            try Data("{\(fields.joined(separator: ","))}".utf8).write(to: file)
            do {
                _ = try AutoregressiveConfiguration(contentsOf: file)
                return "none"
            } catch { return "\(error)" }
        }
        #expect(try message(good) == "none")
        for (fields, word) in [
            (good + ["\"activation_function\":\"relu\""], "activation_function"),
            (
                good.filter { !$0.contains("n_embd") } + ["\"n_embd\":9223372036854775807"],
                "n_embd is 9223372036854775807"
            ),
            (good + ["\"n_inner\":-1"], "n_inner is -1"),
            (good.filter { !$0.contains("n_positions") } + ["\"n_positions\":1048577"], "n_positions is 1048577"),
            (good.filter { !$0.contains("n_head") } + ["\"n_head\":4"], "n_embd 6 over n_head 4"),
            (good.filter { !$0.contains("bos") } + ["\"bos_token_id\":10"], "bos_token_id 10"),
            (good.filter { !$0.contains("n_layer") }, "n_layer is missing"),
            (good.filter { !$0.contains("n_layer") } + ["\"n_layer\":0"], "n_layer is 0"),
        ] {
            let found = try message(fields)
            #expect(found.contains(word) && found.contains(file.path), "\(found)")
        }
    }
}
