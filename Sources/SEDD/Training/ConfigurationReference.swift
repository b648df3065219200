import Files
import Yams

/// Every configuration key with type, default and description; printed by `sedd config --list`.
///
/// Types, choices and defaults are derived from the configuration; a test checks that the summaries cover its keys.
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

    /// A setting declared by a sampling method; it has no value unless given.
    private static func declared(_ setting: SettingDeclaration) -> Key {
        let owners = SamplingMethods.all.filter { $0.settings.contains { $0.name == setting.name } }.map(\.name)
        let help = setting.help.hasSuffix(".") ? String(setting.help.dropLast()) : setting.help
        return Key(
            key: "sampling.\(setting.name)", type: setting.expected, default: "null",
            summary: "with \(owners.joined(separator: ", ")): \(help.prefix(1).lowercased())\(help.dropFirst())")
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

    /// Values of the keys that have a closed list of them, separated by ` | `.
    static let choices = [
        "model.type": names(TrainingConfiguration.ModelKind.self),
        "model.parametrisation": names(Parametrisation.self),
        "model.conditioning": names(Conditioning.self),
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
            "kind of model; graph, noise and diffusion times do not apply to autoregressive; short form `model: autoregressive`",
        "model.hidden_size": "width d of the network",
        "model.cond_dim": "width of the embedding of sigma, the noise level",
        "model.length": "tokens per block",
        "model.n_blocks": "number of blocks",
        "model.n_heads": "attention heads; twice their number must divide hidden_size",
        "model.scale_by_sigma":
            "subtract the scale of scores, log(expm1 sigma) + log n, from the outputs; unless set, true for scores under graph.type absorb",
        "model.dropout": "dropout probability on the outputs of attention and of the feed-forward layers",
        "model.parametrisation":
            "meaning of the outputs: scores (SEDD), or the distribution of the clean token (MDLM, RADD, Duo)",
        "model.conditioning":
            "noise level given to the network: sigma (SEDD), a constant 0 (MDLM), or none, in a network without layers for it (RADD)",
        "model.tie_embeddings":
            "use the matrix of the embedding in the head as well, as autoregressive models always do",
        "model.padding": "number of tokens of the network beyond the tokenizer's; they have no text",
        "tokenizer": "one of byte, characters (those of the data), characters:FILE, gpt2:DIR, hf:PATH or hf:ORG/NAME",
        "graph.type": "how noise corrupts tokens: absorb masks them, uniform replaces them by random ones",
        "noise.type":
            "noise as a function of time: in loglinear the masked fraction grows linearly, in geometric sigma grows exponentially",
        "noise.sigma_min": "geometric noise: sigma at time 0",
        "noise.sigma_max": "geometric noise: sigma at time 1",
        "data.files": "text files, concatenated; set by --data",
        "data.held_out": "fraction of the tokens, at the end, held out for validation",
        "data.document_starts":
            "fraction of the training windows that begin at the start of a document; the others begin anywhere",
        "training.batch_size": "sequences per step, over all accumulation steps",
        "training.accum":
            "gradient accumulation: number of parts in which a step's sequences are evaluated, to save memory",
        "training.n_iters": "number of training steps",
        "training.ema": "decay of the moving average of the weights, if ema_horizon is null",
        "training.ema_horizon":
            "horizon of the moving average in steps, or below 1 as a fraction of the run; null for the fixed decay of ema",
        "training.seed": "seed of all random numbers of the run",
        "training.smallest_time": "smallest diffusion time in training; the largest is 1",
        "training.time_density.type": "density from which diffusion times are drawn; short form `time_density: normal`",
        "training.time_density.mean": "mean of the density, or centre of the window",
        "training.time_density.width": "standard deviation of the density, or half-width of the window",
        "training.time_density.correction": "importance weights of losses: 1, 1 / sqrt(density), or 1 / density",
        "training.time_density.refit": "fitted: steps between fits of the density to the losses measured at each time",
        "training.loss_weight":
            "weight of losses: that of the likelihood bound, or 2 t times that, which under log-linear absorption weights every masked token equally",
        "training.complementary":
            "antithetic pairs: every text twice in a step, at the same time, with masks from u and 1 - u, which overlap as little as possible",
        "training.from":
            "folder of the model from whose weights training starts; null for random weights; set by --from",
        "training.freeze": "names of weights that are not trained, such as [blocks.0.*]; * matches any characters",
        "training.log_freq": "steps between lines of metrics.jsonl",
        "training.eval_freq": "steps between validations",
        "training.eval_blocks": "held-out blocks per validation",
        "training.eval_times": "diffusion times per validation block, stratified",
        "training.snapshot_freq": "steps between checkpoints",
        "training.keep": "number of newest checkpoints to keep, besides the best",
        "training.sample_freq": "steps between samples; 0 for none",
        "optim.type": "AdamW for all weights, or Muon for the matrices of the blocks and AdamW for the rest",
        "optim.lr": "AdamW: learning rate after the warm-up",
        "optim.beta1": "AdamW: decay of the first moment",
        "optim.beta2": "AdamW: decay of the second moment",
        "optim.eps": "AdamW: epsilon added to the denominator",
        "optim.muon_lr": "Muon: learning rate after the warm-up",
        "optim.muon_momentum": "Muon: decay of the momentum",
        "optim.weight_decay": "weight decay of matrices; norms, biases and embeddings do not decay",
        "optim.warmup": "warm-up steps, over which the rates rise from 0",
        "optim.schedule": "decay of the learning rates at the end; wsd: warm-up, stable, decay by 1 - sqrt(x)",
        "optim.decay":
            "fraction of the run over which the rates decay; null: all after warm-up, for wsd the last fifth",
        "optim.floor": "fraction of the full rates at which the decay ends",
        "optim.grad_clip": "maximum gradient norm; 0 disables clipping",
        "sampling.method": "sampling method of the samples drawn during training",
        "sampling.steps": "reverse steps of these samples",
        "sampling.grid": "placement of the steps: linear, cosine, profile or a list of times",
        "sampling.temperature": "divisor of the log-probabilities of tokens",
        "sampling.top_k": "keep only the k most probable tokens; null for all",
        "sampling.top_p": "keep the most probable tokens up to this total probability; null for all",
        "sampling.count": "sequences per sample",
    ]
}
