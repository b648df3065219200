import Foundation
import Testing
import Torch

@testable import SEDD

/// A head that shares the embedding's matrix, against a network whose separate head is a copy of it.
struct TiedEmbeddingTests {
    private static let (head, embedding) = ("output_layer.linear.weight", "vocab_embed.embedding")

    private func networks(_ kind: NetworkKind) throws -> (tied: ScoreNetwork, separate: ScoreNetwork) {
        var configuration = kind.configuration()
        configuration.model.tiesEmbeddings = true
        let tied = try randomNetwork(configuration)
        return (tied, try LanguageModel.diffusion(tied).untied().diffusion())
    }

    @Test(arguments: NetworkKind.all) func lossesAndGradients(_ kind: NetworkKind) throws {
        let (tied, separate) = try networks(kind)
        let (l, tokens) = (9, tied.configuration.tokens)
        let clean = (0..<3 * l).map { $0 * 5 % tokens }
        let states = clean.enumerated().map { $0.offset % 2 == 0 ? $0.element : (tied.configuration.states - 1) }
        let batch = NoisedBatch(
            clean: clean, states: states, length: l, sigma: [0.05, 0.7, 3], sigmaRate: [1, 1.5, 0.5])
        func gradients(_ network: ScoreNetwork) throws -> (losses: [Double], gradients: Weights) {
            let state = try TrainingState(network.weights)
            let loss = ScoreEntropyLoss(network: network, graph: network.configuration.makeGraph())
            return (try loss.accumulateGradients(batch, scale: 1, dropout: nil, into: state.gradients), state.gradients)
        }
        let (one, two) = (try gradients(tied), try gradients(separate))
        #expect(one.losses == two.losses)
        for entry in tied.weights.layout.entries {
            var expected: [Double] = try two.gradients(entry.name).array()
            if entry.name == Self.embedding {
                let ofHead: [Double] = try two.gradients(Self.head).array()
                #expect(ofHead.contains { $0 != 0 } && expected.contains { $0 != 0 }, "both uses have a gradient")
                expected = zip(expected, ofHead).map(+)
            }
            let difference = Difference(try one.gradients(entry.name).array(), expected)
            let scale = max(expected.map(abs).max() ?? 1, 1e-6)
            #expect(difference.absolute <= 1e-6 * scale, "\(entry.name): \(difference), largest entry \(scale)")
        }
    }

    /// Our own layout stores the matrix once; formats of others, which have a head of their own, get a copy.
    @Test func files() throws {
        let kind = NetworkKind(graph: .absorb)
        let (tied, separate) = try networks(kind)
        let folder = try TemporaryFolder()
        #expect(
            tied.weights.layout.parameters
                == separate.weights.layout.parameters - tied.configuration.states * tied.configuration.model.hiddenSize)
        for (name, isTied) in [("folder", true), ("one.safetensors", true), ("one.bin", true), ("one.pth", false)] {
            let target = folder.url.appending(path: name)
            try Conversion.write(.diffusion(tied), to: target)
            let again = try LanguageModel.load(target).diffusion()
            #expect(again.configuration.model.tiesEmbeddings == isTied, "\(name)")
            for entry in separate.weights.layout.entries {
                let (found, expected) = (try again.weights(entry.name), try tied.weights(entry.name))
                #expect(try found.array(Float.self) == expected.detached().array(Float.self), "\(name): \(entry.name)")
            }
        }
        #expect(kind.configuration().model.tiesEmbeddings == false)
        #expect(try !String(decoding: kind.configuration().jsonData(), as: UTF8.self).contains("tie"))
    }

    /// Training moves the one matrix, and a run that is stopped and resumed ends with the same weights.
    @Test func trainingAndResuming() throws {
        let setting = try TrainingTests.Setting()
        setting.configuration.model.tiesEmbeddings = true
        func values(_ trainer: Trainer, _ name: String) throws -> [Float] {
            try trainer.weights(name).detached().array()
        }
        let (whole, _) = try setting.trainer("whole")
        let before = try values(whole, Self.head)
        try whole.train { _ in }
        let after = try values(whole, Self.head)
        #expect(after != before)
        #expect(try after == values(whole, Self.embedding))
        try setting.stopped("parts")
        let (second, _) = try setting.trainer("parts", create: false)
        try second.train { _ in }
        #expect(try values(second, Self.head) == after)
    }
}
