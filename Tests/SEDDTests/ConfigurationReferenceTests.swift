import Foundation
import Testing

@testable import SEDD

struct ConfigurationReferenceTests {
    @Test func everyKeyHasASummaryAndEverySummaryAKey() throws {
        let keys = try ConfigurationReference.keys()
        let declared = SamplingMethods.settings.map { "sampling.\($0.name)" }
        #expect(Set(keys.map(\.key)) == Set(ConfigurationReference.summaries.keys).union(declared))
        #expect(keys.count == Set(keys.map(\.key)).count)
        for key in keys { #expect(!key.summary.isEmpty && !key.summary.hasSuffix(".") && !key.summary.contains("\n")) }
    }

    @Test(arguments: [
        ("training.n_iters", "whole number", "2500"), ("training.ema", "number", "0.9999"),
        ("training.ema_horizon", "number or null", "null"), ("optim.type", "adamw | muon", "adamw"),
        ("optim.schedule", "constant | linear | cosine | wsd", "constant"), ("tokenizer", "text", "byte"),
        ("data.files", "texts", "[]"), ("training.complementary", "true or false", "false"),
        ("model.scale_by_sigma", "true or false", "true"), ("training.from", "text or null", "null"),
    ])
    func typesAndDefaults(_ key: String, _ type: String, _ value: String) throws {
        let found = try #require(try ConfigurationReference.keys().first { $0.key == key })
        #expect(found.type == type && found.default == value, "\(found)")
    }
}

struct LearningCurveTests {
    @Test func itShowsTrainingAndValidation() throws {
        let lines =
            (1...400).map { "{\"step\":\($0),\"loss\":\(3 - Double($0) / 400)}" }
            + ["{\"step\":0,\"validation\":3.1}", "{\"step\":400,\"validation\":2.2}", "torn line {"]
        let svg = try #require(LearningCurve(metrics: lines.joined(separator: "\n")).svg(title: "a run"))
        #expect(svg.contains("a run") && svg.contains("training loss") && svg.contains("held-out"))
        #expect(svg.components(separatedBy: "<circle").count == 3, "dots of the validations alone")
        let path = svg.components(separatedBy: "<polyline points=\"")[1].components(separatedBy: "\"")[0]
        #expect(path.split(separator: " ").count == 100, "losses are averaged")
    }

    @Test func theBoundIsShownWhereTheLossIsAnother() throws {
        let metrics = "{\"step\":1,\"loss\":9,\"bound\":3}\n{\"step\":2,\"loss\":8,\"bound\":2}\n"
        #expect(try #require(LearningCurve(metrics: metrics).svg(title: "t")).contains("training, bound"))
    }

    @Test func nothingToShow() { #expect(LearningCurve(metrics: "").svg(title: "t") == nil) }

    @Test func aRunLeavesOne() throws {
        let setting = try TrainingTests.Setting()
        let (trainer, run) = try setting.trainer("curve")
        try trainer.train { _ in }
        let svg = try String(contentsOf: run.url.appending(path: "curve.svg"), encoding: .utf8)
        #expect(svg.hasPrefix("<svg") && svg.contains("held-out"))
    }
}
