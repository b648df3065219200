import Files
import Foundation
import Testing

@testable import SEDD

struct ConfigurationTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let yaml: String
        var overrides: [String] = []
        var kind = SEDDError.Kind.invalidData
        let message: String
        var testDescription: String { yaml + overrides.joined(separator: " ") }
    }

    @Test(arguments: [
        Fault(yaml: "modle: {}", message: "test: the key 'modle' is unknown; did you mean 'model'?"),
        Fault(
            yaml: "model: {hidden: 12}",
            message: "test: the key 'model.hidden' is unknown; did you mean 'model.hidden_size'?"),
        Fault(
            yaml: "model: {hidden_size: wide}",
            message: "test: model.hidden_size has the wrong type; expected a whole number"),
        Fault(
            yaml: "", overrides: ["training.n_iters=012"], kind: .usage,
            message:
                "--set training.n_iters=012: training.n_iters is 012, which YAML reads as an octal number; write it without the leading zero"
        ),
        Fault(
            yaml: "", overrides: ["training.seed=12:30"], kind: .usage,
            message:
                "--set training.seed=12:30: training.seed is 12:30, which YAML reads as a number of base 60; write it as a decimal number"
        ),
        Fault(
            yaml: "training: {n_iters: 1:1:1:1:1:1:1:1:1:1:1:1:1}",
            message:
                "test: training.n_iters is 1:1:1:1:1:1:1:1:1:1:1:1:1, which YAML reads as a number of base 60; write it as a decimal number"
        ),
        Fault(
            yaml: "a0: &a0 [x, x]\n" + (1..<30).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
                + "? *a29\n: 1",
            message: "test: 30 anchors and 59 aliases may expand without bound; write the values themselves"),
        Fault(yaml: "model: 3", message: "test: model has the wrong type; expected a mapping"),
        Fault(yaml: "tokenizer: {a: 1}", message: "test: tokenizer has the wrong type; expected one value"),
        Fault(yaml: "- 1", message: "test: expected a mapping of keys to values; sedd config --list names them"),
        Fault(
            yaml: "model: {hidden_size: 100, n_heads: 3}",
            message:
                "test: model.hidden_size 100 over model.n_heads 3: expected an even width for each head; choose a width that 2 n_heads divides"
        ),
        Fault(yaml: "optim: {lr: -1}", message: "test: optim.lr is -1.0; expected 0 < value < 1"),
        Fault(
            yaml: "training: {batch_size: 5, accum: 2}",
            message: "test: training.batch_size is 5; expected a multiple of training.accum, 2"),
        Fault(yaml: "training: {ema: 1.0}", message: "test: training.ema is 1.0; expected 0 <= value < 1"),
        Fault(
            yaml: "optim: {warmup: 30}\ntraining: {n_iters: 20}",
            message:
                "test: optim.warmup is 30; expected at most training.n_iters, 20: shorten the warm-up or lengthen the run"
        ),
        Fault(
            yaml: "optim: {schedule: wsd, decay: 1.5}", message: "test: optim.decay is 1.5; expected 0 <= value <= 1"),
        Fault(
            yaml: "optim: {decay: 0.5}",
            message:
                "test: optim.decay is 0.5 with optim.schedule constant, which does not decay; choose linear, cosine or wsd, or leave optim.decay out"
        ),
        Fault(yaml: "optim: {muon_lr: 2.0}", message: "test: optim.muon_lr is 2.0; expected 0 < value < 1"),
        Fault(
            yaml: "optim: {weight_decay: -1}",
            message: "test: optim.weight_decay is -1.0; expected 0 (for none) or more"),
        Fault(
            yaml: "training: {ema_horizon: 0}",
            message: "test: training.ema_horizon is 0.0; expected a number of steps, or below 1 a share of the run"),
        Fault(
            yaml: "training: {time_density: {type: beta, mean: 0.5, width: 0.6}}",
            message:
                "test: training.time_density.width is 0.6; expected less than 0.5, the greatest deviation of a Beta distribution of mean 0.5"
        ),
        Fault(
            yaml: "training: {time_density: {type: window, correction: full}}",
            message:
                "test: training.time_density.correction is full; expected none: no weight can correct for times that a window excludes"
        ),
        Fault(
            yaml: "tokenizer: byte", overrides: ["training.steps=3"], kind: .usage,
            message: "--set training.steps=3: the key 'training.steps' is unknown; did you mean 'sampling.steps'?"),
        Fault(
            yaml: "tokenizer: byte", overrides: ["novalue"], kind: .usage,
            message: "--set 'novalue': expected key.path=value"),
        Fault(yaml: "", message: "test: expected a mapping of keys to values; sedd config --list names them"),
        Fault(
            yaml: "graph: {type: uniform}\nmodel: {scale_by_sigma: true}",
            message:
                "test: model.scale_by_sigma is true with graph.type uniform; expected false: the scale belongs to absorb"
        ),
    ])
    func faults(_ fault: Fault) {
        let error = #expect(throws: SEDDError.self) {
            try ConfigurationFile.resolve(yaml: fault.yaml, overrides: fault.overrides, source: "test")
        }
        #expect(error?.kind == fault.kind)
        #expect(error?.description == fault.message)
    }

    /// The error for an invalid value uses the terms of the file, not those of the decoder.
    @Test(
        arguments: ConfigurationReference.choices.filter { $0.value.contains("|") }.map {
            ($0.key, "no_such", "'no_such' is unknown; expected \($0.value.replacing(" | ", with: ", "))")
        } + [
            ("data.files", "a.txt", "has the wrong type; expected a list"),
            ("data.files", "[a, [b]]", "data.files.1 has the wrong type"),
            ("model.length", "[1]", "has the wrong type; expected one value"), ("training", "3", "expected a mapping"),
            ("training.freeze", "a", "has the wrong type; expected a list"),
            ("model.length", "many", "has the wrong type; expected a whole number"),
            ("model.scale_by_sigma", "maybe", "expected true or false"),
        ])
    func wrongValues(_ key: String, _ value: String, _ words: String) throws {
        let error = #expect(throws: SEDDError.self) {
            try ConfigurationFile.resolve(yaml: "tokenizer: byte", overrides: ["\(key)=\(value)"], source: "test")
        }
        let text = error?.description ?? ""
        #expect(text.contains(key) && text.contains(words), "\(text)")
        for word in ["Cannot initialize", "Scalar", "Sequence", "Index", "Kind"] {
            #expect(!text.contains(word), "\(text)")
        }
    }

    @Test func overridesAndDefaults() throws {
        let made = try ConfigurationFile.resolve(
            yaml: "model:\n  hidden_size: 64\n",
            overrides: ["training.n_iters=3000", "graph.type=uniform", "data.files=[a, b]"],
            source: "test")
        #expect(made.model.hiddenSize == 64)
        #expect(made.training.nIters == 3000)
        #expect(made.data.files == ["a", "b"])
        #expect(made.model.scaleBySigma == false, "it follows the graph")
        #expect(made.optim == TrainingConfiguration.Optimizer())
        #expect(try ConfigurationFile.resolve(yaml: ConfigurationFile.yaml(made), source: "run.yaml") == made)
    }

    @Test func optimizerAndTimes() throws {
        let made = try ConfigurationFile.resolve(
            yaml: "training: {time_density: normal, n_iters: 3000}",
            overrides: [
                "optim.type=muon", "optim.schedule=wsd", "optim.decay=0.3", "training.time_density.width=0.2",
                "training.loss_weight=time", "training.ema_horizon=0.1",
            ], source: "test")
        #expect(made.optim.type == .muon && made.optim.schedule == .wsd && made.optim.decay == 0.3)
        #expect(made.training.timeDensity.type == .normal && made.training.timeDensity.width == 0.2)
        #expect(made.training.lossWeight == .time && made.training.emaHorizon == 0.1)
        let yaml = try ConfigurationFile.yaml(made)
        #expect(try ConfigurationFile.resolve(yaml: yaml, source: "run.yaml") == made)
        let back = try ConfigurationFile.resolve(
            yaml: yaml, overrides: ["optim.decay=null", "training.ema_horizon=null"], source: "run.yaml")
        #expect(back.optim.decay == nil && back.training.emaHorizon == nil, "null goes back to the default")
        let short = try ConfigurationFile.resolve(
            yaml: "tokenizer: byte", overrides: ["training.time_density=window", "training.n_iters=2500"],
            source: "test")
        #expect(short.training.timeDensity.type == .window)
    }

    @Test func whatAFileLeavesOutKeepsItsDefault() throws {
        #expect(try ConfigurationFile.resolve(yaml: "tokenizer: byte", source: "test") == TrainingConfiguration())
    }

    /// A model's own statement decides; only a model like Duo's may have a padding token that it does not state.
    @Test(arguments: [
        ("uniform", "cleanToken", nil, [11: 0, 10: 1]), ("uniform", "cleanToken", 0, [11: 0]),
        ("uniform", "cleanToken", 1, [10: 1]), ("uniform", "score", nil, [11: 0]), ("absorb", "score", 0, [11: 0]),
        ("absorb", "cleanToken", nil, [11: 0]), ("absorb", "score", 3, [8: 3]),
    ])
    func paddingBesideATokenizer(_ graph: String, _ parametrisation: String, _ padding: Int?, _ fitting: [Int: Int])
        throws
    {
        let made = ModelConfiguration(
            tokens: 11, graph: .init(type: graph == "absorb" ? .absorb : .uniform), noise: .init(type: .loglinear),
            model: .init(
                hiddenSize: 8, condDim: 4, length: 9, nBlocks: 1, nHeads: 2, scaleBySigma: false, dropout: 0,
                parametrisation: parametrisation == "score" ? .score : .cleanToken), padding: padding)
        let read = try JSONDecoder().decode(ModelConfiguration.self, from: made.jsonData())
        for vocabulary in 7...13 {
            #expect(made.padding(beside: vocabulary) == fitting[vocabulary], "\(vocabulary)")
            #expect(read.padding(beside: vocabulary) == fitting[vocabulary], "\(vocabulary), read")
        }
    }

    @Test(arguments: [
        ("{}", "tokens is missing; add it"),
        ("{\"tokens\": \"many\"}", "tokens has the wrong type; expected a whole number"),
        ("[1]", "the file has the wrong type"),
        ("{", "not valid JSON"),
    ])
    func modelConfigurationFaults(_ json: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appending(path: "config.json")
        try Data(json.utf8).write(to: url)
        let error = #expect(throws: SEDDError.self) { try ModelConfiguration(contentsOf: url) }
        #expect(error?.kind == .invalidData)
        #expect(error?.description.hasPrefix("\(url.path): \(message)") == true, "\(error?.description ?? "")")
    }
}
