import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

struct FineTuningTests {
    @Test(arguments: [
        ("*", "blocks.0.norm1.weight", true), ("blocks.0.*", "blocks.0.norm1.weight", true),
        ("blocks.0.*", "blocks.01.norm1.weight", false), ("*.norm1.*", "blocks.0.norm1.weight", true),
        ("*.bias", "blocks.0.mlp.0.bias", true), ("*.bias", "blocks.0.mlp.0.biased", false),
        ("blocks.*.mlp.*.weight", "blocks.12.mlp.0.weight", true),
        ("blocks.*.mlp.*.weight", "blocks.1.attn_out.weight", false),
        ("blocks.0.norm1.weight", "blocks.0.norm1.weight", true), ("blocks", "blocks.0.norm1.weight", false),
        ("a*a", "a", false), ("a*a", "aa", true), ("*ab*ab*", "xabyabz", true), ("*ab*ab*", "xabyz", false),
    ])
    func patterns(_ pattern: String, _ name: String, _ matches: Bool) {
        #expect(NamePattern(pattern).matches(name) == matches)
    }

    @Test func patternsThatMatchNothingAreRefused() throws {
        let layout = WeightLayout(smallConfiguration())
        #expect(try layout.names(matching: ["vocab_embed.*", "*.bias"], key: "training.freeze").count == 11)
        let unknown = #expect(throws: SEDDError.self) {
            try layout.names(matching: ["vocab_embd.embedding"], key: "training.freeze")
        }
        #expect(unknown?.description.contains("did you mean 'vocab_embed.embedding'") == true)
        let all = #expect(throws: SEDDError.self) { try layout.names(matching: ["*"], key: "training.freeze") }
        #expect(
            all?.description
                == "training.freeze: the patterns match all weights; expected at least one that is left to train")
    }

    @Test(arguments: TrainingConfiguration.Optimizer.Kind.allCases)
    func frozenWeightsStayAndTheOthersMove(_ kind: TrainingConfiguration.Optimizer.Kind) throws {
        let setting = try TrainingTests.Setting()
        setting.configuration.optim.type = kind
        setting.configuration.optim.weightDecay = 0.1
        setting.configuration.training.freeze = ["vocab_embed.*", "blocks.0.*"]
        let (trainer, _) = try setting.trainer("frozen")
        let before = try trainer.weights.copied()
        try trainer.train { _ in }
        for entry in before.layout.entries {
            let (old, new) = (try before(entry.name).bytes(), try trainer.weights(entry.name).detached().bytes())
            let isFrozen = entry.name.hasPrefix("vocab_embed.") || entry.name.hasPrefix("blocks.0.")
            #expect((old == new) == isFrozen, "\(entry.name)")
            if isFrozen { #expect(try trainer.averaged.weights(entry.name).detached().bytes() == old) }
        }
        // Also when stopped and resumed: the optimizer has no arrays for frozen weights.
        let (again, _) = try setting.trainer("frozen", create: false)
        try again.train { _ in }
        #expect(try again.weights.flat.bytes() == trainer.weights.flat.bytes())
    }

    @Test func aRunStartsFromTheWeightsOfAnother() throws {
        let setting = try TrainingTests.Setting()
        let (first, run) = try setting.trainer("first")
        try first.train { _ in }
        let start = try StartingModel(contentsOf: run.url)
        try start.requireTokenizer(ByteTokenizer())
        var adopted = TrainingConfiguration()
        start.adopt(into: &adopted)
        #expect(adopted.model.hiddenSize == 32 && adopted.model.nBlocks == 2 && adopted.tokenizer == "byte")
        try start.requireShape(of: adopted)

        setting.configuration.training.from = run.url.path
        setting.configuration.training.nIters = 4
        setting.configuration.training.evalFreq = 4
        let (second, other) = try setting.trainer("second")
        var validations: [Int: Double] = [:]
        try second.train { if case .validation(let step, let estimate) = $0 { validations[step] = estimate.mean } }
        let last = try #require(try lastValidation(run))
        #expect(validations[0] == last, "the first validation is of the weights that it started from")
        // A resumed run continues from its checkpoint and no longer needs the initial model.
        try FileManager.default.removeItem(at: run.url)
        let (third, _) = try setting.trainer("second", create: false)
        try third.train { _ in }
        #expect(other.checkpoints.steps().last == 4)
    }

    private func lastValidation(_ run: RunFolder) throws -> Double? {
        try String(contentsOf: run.metricsFile, encoding: .utf8).split(separator: "\n").compactMap {
            (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["validation"] as? Double
        }.last
    }

    @Test func otherShapesAndVocabulariesAreRefusedByName() throws {
        let setting = try TrainingTests.Setting()
        let (first, run) = try setting.trainer("first")
        try first.train { _ in }
        let start = try StartingModel(contentsOf: run.url)
        var other = setting.configuration
        other.model.hiddenSize = 64
        other.graph.type = .uniform
        let shape = #expect(throws: SEDDError.self) { try start.requireShape(of: other) }
        #expect(shape?.kind == .usage)
        let text = shape?.description ?? ""
        #expect(
            text.contains("model.hidden_size is 64, the model has 32; graph.type is uniform, the model has absorb"),
            "\(text)")
        other = setting.configuration
        other.model.dropout = 0.3
        other.model.length = 64
        try start.requireShape(of: other)

        let characters = try CharacterTokenizer(alphabetOf: "abc")
        let size = #expect(throws: SEDDError.self) { try start.requireTokenizer(characters) }
        #expect(size?.description.contains("the tokenizer has 3 tokens, the model 256") == true)
        let same = try CharacterTokenizer(
            alphabetOf: String(String.UnicodeScalarView((0x4E00..<0x4F00).compactMap(Unicode.Scalar.init))))
        #expect(same.vocabularySize == 256)
        let content = #expect(throws: SEDDError.self) { try start.requireTokenizer(same) }
        #expect(content?.description.contains("the same ids would stand for other text") == true)
    }

    /// What training would change is refused: a trained model has GPT-2's activation, epsilon and start token.
    @Test func whatTrainingWouldChange() throws {
        let tokenizer = try CharacterTokenizer(alphabetOf: "abcdefghijk")
        let network = try randomAutoregressive()
        let folder = try TemporaryFolder()
        func start(_ change: (inout AutoregressiveConfiguration) -> Void) throws -> StartingModel {
            var configuration = network.configuration
            change(&configuration)
            try AutoregressiveFolder.save(configuration, network.weights, to: folder.url)
            return try StartingModel(contentsOf: folder.url)
        }
        try start { _ in }.requireTokenizer(tokenizer)
        for (words, change) in [
            ("activation_function is gelu", { $0.activation = "gelu" }),
            ("layer_norm_epsilon is 0.1", { $0.epsilon = 0.1 }),
            ("the start token is 5", { $0.startToken = 5 }),
        ] as [(String, (inout AutoregressiveConfiguration) -> Void)] {
            let error = #expect(throws: SEDDError.self) { try start(change).requireTokenizer(tokenizer) }
            #expect(error?.kind == .usage && error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }

    /// A tokenizer that cannot be compared is an error, not a match.
    @Test func damagedTokenizers() throws {
        let setting = try TrainingTests.Setting()
        let folder = setting.folder.url.appending(path: "model")
        var configuration = smallConfiguration(tokens: 3, length: 12)
        configuration.tokenizer = CharacterTokenizer.kind
        try ModelFolder.save(configuration, ScoreNetwork(configuration, seed: 1).weights, to: folder)
        let tokenizer = try CharacterTokenizer(alphabetOf: "abc")
        try tokenizer.write(to: folder)
        let start = try StartingModel(contentsOf: folder)
        try start.requireTokenizer(tokenizer)
        try Data([0xFF, 0xFE, 0xFF]).write(to: folder.appending(path: CharacterTokenizer.fileName))
        let error = #expect(throws: TextError.self) { try start.requireTokenizer(tokenizer) }
        #expect(error?.kind == .invalidData)
    }

    /// Each sequence of a pair is masked as often as any other, and the two masks are as disjoint as possible.
    @Test(arguments: [0.1, 0.3, 0.5, 0.7, 0.95]) func complementaryMasks(_ time: Double) {
        let noising = Noising(
            graph: AbsorbingGraph(tokens: 4), noise: LogLinearNoise(floor: 1e-9), seed: 2, smallestTime: 1e-3,
            pairs: true)
        let length = 20_000
        let batch = noising.batch(
            (0..<4 * length).map { $0 % 4 }, length: length, times: [time, time, time, time], step: 3, firstSequence: 0)
        let masked = (0..<4).map { row in (0..<length).map { batch.states[row * length + $0] == 4 } }
        for row in 0..<4 {
            // Five standard deviations of a fraction of 20,000 draws.
            let share = Double(masked[row].filter { $0 }.count) / Double(length)
            #expect(abs(share - time) < 5 * (time * (1 - time) / Double(length)).squareRoot(), "row \(row): \(share)")
        }
        for pair in [0, 2] {
            let both = zip(masked[pair], masked[pair + 1]).filter { $0 && $1 }.count
            let none = zip(masked[pair], masked[pair + 1]).filter { !$0 && !$1 }.count
            #expect(time <= 0.5 ? both == 0 : none == 0, "\(both) in both, \(none) in none")
        }
        #expect(masked[0] != masked[2], "pairs differ")
        let times = noising.times(step: 1, strata: 0..<8, of: 8)
        for pair in 0..<4 {
            #expect(times[2 * pair] == times[2 * pair + 1])
            #expect(times[2 * pair] > Double(pair) / 4 && times[2 * pair] < 1e-3 + Double(pair + 1) / 4)
        }
    }

    @Test func complementaryRunsNeedPairs() {
        let error = #expect(throws: SEDDError.self) {
            try ConfigurationFile.resolve(
                yaml: "training: {complementary: true, batch_size: 6, accum: 2}", source: "test")
        }
        #expect(error?.description.contains("complementary masks come in pairs") == true)
    }
}
