import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

@Suite struct EvaluationTests {
    private let folder: TemporaryFolder
    private let network: ScoreNetwork
    private let text: EvaluationText

    init() throws {
        folder = try TemporaryFolder()
        let file = folder.url.appending(path: "data.txt")
        let stream = RandomStream(seed: 1, purpose: .windows)
        let letters = (0..<500).map { UInt8(97 + stream.integer(below: 11, step: 0, sequence: $0)) }
        try Data(letters).write(to: file)
        let tokenizer = try CharacterTokenizer(alphabetOf: "abcdefghijk")
        text = try EvaluationText(
            DataSpecification(file.path), tokenizer: tokenizer, cache: TokenCache(folder: folder.url))
        network = try randomNetwork(smallConfiguration(tokens: 11, length: 12))
    }

    private func bound(_ network: ScoreNetwork? = nil, seed: UInt64 = 0, tokensPerBatch: Int = 4096) throws
        -> LikelihoodBound
    {
        try LikelihoodBound(
            network: network ?? self.network, timesPerBlock: 4, seed: seed, tokensPerBatch: tokensPerBatch)
    }

    @Test func reportsAddUp() throws {
        let report = try Evaluation(length: 12).run(text, bound())
        #expect(report.blocks == 41 && report.tokens == 492 && report.tokensInData == 500)
        let sum =
            try #require(report.terms["diffusion"]) + #require(report.terms["prior"])
            + #require(report.terms["reconstruction"])
        #expect(abs(report.natsPerToken - sum) < 1e-12)
        #expect(report.perplexity == exp(report.natsPerToken))
        // One byte per character here.
        #expect(abs(report.bitsPerByte - report.natsPerToken / log(2)) < 1e-12)
        #expect(report.bitsPerCharacter == report.natsPerToken / log(2))
        #expect(try #require(report.standardError) > 0)
        let keys = try #require(JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any])
        for key in ["data", "tokens", "nats_per_token", "standard_error", "perplexity", "bits_per_byte", "terms"] {
            #expect(keys[key] != nil, "\(key)")
        }
    }

    @Test func batchesChangeNothingButRounding() throws {
        let whole = try Evaluation(length: 12).run(text, bound()).natsPerToken
        let parts = try Evaluation(length: 12).run(text, bound(tokensPerBatch: 24)).natsPerToken
        #expect(abs(whole - parts) < 1e-5 * whole, "\(whole) \(parts)")
        #expect(try Evaluation(length: 12).run(text, bound(seed: 1)).natsPerToken != whole)
    }

    @Test func blocksAreSpreadEvenly() throws {
        let report = try Evaluation(length: 12, blocks: 5).run(text, bound())
        #expect(report.blocks == 5 && report.tokens == 60)
    }

    // Stopped anywhere, even in the middle of a line, a resumed evaluation gives exactly the same numbers.
    @Test func itGoesOnWhereItStopped() throws {
        let likelihood = try bound(tokensPerBatch: 192)
        let whole = try Evaluation(length: 12).run(text, likelihood)
        let url = folder.url.appending(path: "blocks.jsonl")
        func log() throws -> EvaluationLog {
            try EvaluationLog(
                url, weights: network.weights, model: "m", text: text, length: 12, settings: likelihood.settings)
        }
        var seen: [Int] = []
        var stopped: SEDDError?
        do {
            _ = try Evaluation(length: 12).run(text, likelihood, log: log(), shouldStop: { true }) {
                seen.append($0.done)
            }
        } catch let error as SEDDError { stopped = error }
        #expect(stopped?.kind == .interrupted && stopped?.description.contains("4 of 41") == true)
        #expect(seen == [4])
        var bytes = try Data(contentsOf: url)
        bytes.removeLast(9)
        try bytes.write(to: url)
        var again: [Int] = []
        let resumed = try Evaluation(length: 12).run(text, likelihood, log: log(), progress: { again.append($0.done) })
        #expect(resumed.natsPerToken == whole.natsPerToken)
        #expect(resumed.standardError == whole.standardError)
        #expect(again.first == 4 && again.last == 41)
        var idle = 0
        let third = try Evaluation(length: 12).run(text, likelihood, log: log(), progress: { _ in idle += 1 })
        #expect(third.natsPerToken == whole.natsPerToken && idle == 0, "nothing is evaluated twice")
        // Another seed is another evaluation.
        let other = try EvaluationLog(
            url, weights: network.weights, model: "m", text: text, length: 12, settings: bound(seed: 9).settings)
        #expect(other.blocks(terms: 3).isEmpty)
        let second = #expect(throws: SEDDError.self) { try log() }
        #expect(second?.description.contains("another evaluation is writing") == true, "while `other` is open")
        withExtendedLifetime(other) {}
    }

    @Test func otherFilesAreNotLogs() throws {
        let url = folder.url.appending(path: "blocks.jsonl")
        let settings = try bound().settings
        for content in ["hello\n", "{\"block\":0,\"key\":\"a\",\"nats\":[\"NaN\"]}\n"] {
            try Data(content.utf8).write(to: url)
            let error = #expect(throws: SEDDError.self) {
                try EvaluationLog(url, weights: network.weights, model: "m", text: text, length: 12, settings: settings)
            }
            #expect(error?.kind == .invalidData, "\(content)")
        }
    }

    @Test func scoresThatAreNoNumbersAreTold() throws {
        let broken = try randomNetwork(smallConfiguration(tokens: 11, length: 12))
        try broken.weights("output_layer.linear.bias").copyInPlace(Tensor.full([], .nan))
        do {
            _ = try Evaluation(length: 12).run(text, bound(broken))
            Issue.record("a likelihood of NaN was taken")
        } catch let error as SEDDError {
            #expect(error.kind == .diverged && error.description.contains("not finite"), "\(error)")
        }
    }

    @Test func shortDataAreTold() throws {
        do {
            _ = try Evaluation(length: 501).run(text, bound())
            Issue.record("no block fits")
        } catch let error as TextError {
            #expect(error.description.contains("500 tokens are too few for one block of 501"), "\(error)")
        }
    }
}
