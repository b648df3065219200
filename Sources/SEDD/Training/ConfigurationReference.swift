import Files
import Yams

/// Every key of a configuration: its type, its default and what it does; what `sedd config --list` prints.
///
/// Types, choices and defaults come from the configuration itself; a test holds the summaries below to its keys.
public enum ConfigurationReference {
    /// One key.
    public struct Key: Sendable, Codable, Equatable {
        /// `section.key`, as `--set` takes it.
        public let key: String
        /// `whole number`, `number`, `true or false`, `text`, `texts`, or the choices.
        public let type: String
        /// As YAML.
        public let `default`: String
        /// One line.
        public let summary: String
    }

    /// All keys in the order of `run.yaml`.
    public static func keys() throws -> [Key] {
        let tree = try Yams.compose(yaml: ConfigurationFile.yaml(TrainingConfiguration())) ?? Node([:])
        return try leaves(tree, path: []).map { path, value in
            let key = path.joined(separator: ".")
            guard let summary = summaries[key] else {
                throw SEDDError(.invalidData, "the configuration key \(key) has no summary; add one to \(#fileID)")
            }
            return Key(key: key, type: choices[key] ?? type(of: value), default: try text(of: value), summary: summary)
        } + SamplingMethods.settings.map(declared)
    }

    /// A setting that a sampling method declares, which has no value until one is given.
    private static func declared(_ setting: SettingDeclaration) -> Key {
        let owners = SamplingMethods.all.filter { $0.settings.contains { $0.name == setting.name } }.map(\.name)
        return Key(
            key: "sampling.\(setting.name)", type: setting.expected, default: "null",
            summary:
                "of \(owners.joined(separator: ", ")): \(setting.help.hasSuffix(".") ? String(setting.help.dropLast()) : setting.help)"
        )
    }

    private static func leaves(_ node: Node, path: [String]) -> [(path: [String], value: Node)] {
        guard let mapping = node.mapping else { return [(path, node)] }
        return mapping.flatMap { key, value in leaves(value, path: path + [key.string ?? "?"]) }
    }

    private static func type(of value: Node) -> String {
        if value.sequence != nil { return "texts" }
        if value.null != nil { return "number or null" }
        if value.int != nil, value.scalar?.string.contains(where: { ".eE".contains($0) }) != true {
            return "whole number"
        }
        if value.bool != nil { return "true or false" }
        return value.float != nil ? "number" : "text"
    }

    private static func text(of value: Node) throws -> String {
        if let scalar = value.scalar { return scalar.string }
        return try Yams.serialize(node: value).split(separator: "\n").joined(separator: " ")
    }

    private static func names<Kind: CaseIterable & RawRepresentable>(_: Kind.Type) -> String
    where Kind.RawValue == String { Kind.allCases.map(\.rawValue).joined(separator: " | ") }

    private static let choices = [
        "model.type": names(TrainingConfiguration.ModelKind.self),
        "graph.type": names(ModelConfiguration.GraphKind.self),
        "noise.type": names(ModelConfiguration.NoiseKind.self),
        "optim.type": names(TrainingConfiguration.Optimizer.Kind.self),
        "optim.schedule": names(LearningRateSchedule.self),
        "training.time_density.type": names(TimeDensity.Kind.self),
        "training.time_density.correction": names(TimeDensity.Correction.self),
        "training.from": "text or null",
        "training.loss_weight": names(TrainingConfiguration.LossWeight.self),
    ]

    static let summaries = [
        "model.type":
            "kind of model; `model: autoregressive` says this alone, and graph, noise and times do not apply to it",
        "model.hidden_size": "d, the width of the network",
        "model.cond_dim": "width of the embedding of sigma",
        "model.length": "tokens of a block",
        "model.n_blocks": "blocks of the network",
        "model.n_heads": "attention heads; twice their number divides hidden_size",
        "model.scale_by_sigma": "subtract log(expm1 sigma) + log n from the output; follows graph.type unless set",
        "model.dropout": "share of a branch's outputs that training drops",
        "tokenizer": "byte, characters (of the data), characters:FILE, gpt2:DIR or hf:PATH",
        "graph.type": "the Markov chain: tokens are masked, or replaced by any other",
        "noise.type": "total noise over time",
        "noise.sigma_min": "geometric noise: sigma at time 0",
        "noise.sigma_max": "geometric noise: sigma at time 1",
        "data.files": "texts, one after the other; --data sets it",
        "data.held_out": "share of the tokens, the last ones, kept for validation",
        "data.document_starts": "share of the windows that begin where a document begins; the others begin anywhere",
        "training.batch_size": "sequences a step, over all its parts",
        "training.accum": "parts that a step's batch is worked on in, to save memory",
        "training.n_iters": "steps",
        "training.ema": "decay of the moving average of the weights, where ema_horizon is null",
        "training.ema_horizon": "steps that the average looks back on, or below 1 a share of the run; null: see ema",
        "training.seed": "seed of the run",
        "training.smallest_time": "times are drawn from here to 1",
        "training.time_density.type": "what times are drawn from; `time_density: normal` says this alone",
        "training.time_density.mean": "mean of the density, or middle of the window",
        "training.time_density.width": "standard deviation of the density, or half the width of the window",
        "training.time_density.correction": "losses are multiplied by 1, by 1 / sqrt(density), or by 1 / density",
        "training.time_density.refit": "fitted: steps between fits of the density to the losses by time",
        "training.loss_weight": "losses are those of the likelihood bound, or times 2 t: every masked token alike",
        "training.complementary": "sequences come in pairs of one text at one time, with complementary masks",
        "training.from": "folder of the model whose weights the run starts from; --from sets it",
        "training.freeze": "names of weights that stay as they are; * stands for any characters: [blocks.0.*]",
        "training.log_freq": "steps between lines of metrics.jsonl",
        "training.eval_freq": "steps between validations",
        "training.eval_blocks": "held-out blocks of a validation",
        "training.eval_times": "stratified times for each of them",
        "training.snapshot_freq": "steps between checkpoints",
        "training.keep": "checkpoints kept beside the best",
        "training.sample_freq": "steps between samples; 0 for none",
        "optim.type": "AdamW for all weights, or Muon for the matrices of the blocks and AdamW for the rest",
        "optim.lr": "AdamW: learning rate after the warm-up",
        "optim.beta1": "AdamW: decay of the first moment",
        "optim.beta2": "AdamW: decay of the second moment",
        "optim.eps": "AdamW: epsilon added to the denominator",
        "optim.muon_lr": "Muon: learning rate after the warm-up",
        "optim.muon_momentum": "Muon: decay of the momentum",
        "optim.weight_decay": "decay of matrices, times the learning rate; norms, biases and embeddings do not decay",
        "optim.warmup": "steps over which the rates rise from 0",
        "optim.schedule": "how the rates fall towards the end; wsd: warm-up, stable, decay by 1 - sqrt",
        "optim.decay": "share of the run over which they fall; null: all after the warm-up, for wsd the last fifth",
        "optim.floor": "share of the rates that they fall to",
        "optim.grad_clip": "greatest norm of the gradient; 0 for no clipping",
        "sampling.method": "sampler of the samples along the way",
        "sampling.steps": "their reverse steps",
        "sampling.grid": "where the steps stop: linear, cosine, profile or a file of times",
        "sampling.temperature": "log-probabilities of tokens are divided by this",
        "sampling.top_k": "the most probable k tokens alone; null for all",
        "sampling.top_p": "the nucleus of this probability alone; null for all",
        "sampling.count": "sequences of each of them",
    ]
}
