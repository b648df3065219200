import Files
import Foundation

/// Layouts of published diffusion checkpoints: the schema of `config.json`, and the names of the weights.
///
/// A layout is recognised from the configuration alone, never from the name of a folder or a repository, and the
/// weights must then be exactly those of the layout.
public enum CheckpointLayout: String, Sendable, CaseIterable {
    /// SEDD's, with additional keys of this project (arXiv 2310.16834).
    case sedd
    /// MDLM's (arXiv 2406.07524): clean tokens, sigma held at 0, the last state is MASK.
    case mdlm
    /// BD3-LM's (arXiv 2503.09573) with one block as long as the text, which makes it an MDLM.
    case bd3lm
    /// RADD's (arXiv 2406.03736): clean tokens, no layers on sigma, norms with biases.
    case radd
    /// Duo's (arXiv 2506.10892): clean tokens under the uniform chain, conditioned on sigma = -log alpha.
    case duo

    /// Its name in messages.
    var title: String {
        switch self {
        case .sedd: "SEDD"
        case .mdlm: "MDLM"
        case .bd3lm: "BD3-LM"
        case .radd: "RADD"
        case .duo: "Duo"
        }
    }

    /// The prefix of the names of its weights.
    var prefix: String {
        switch self {
        case .sedd, .radd: ""
        case .mdlm, .bd3lm, .duo: "backbone."
        }
    }

    /// Buffers that a loader can recompute, besides those of SEDD.
    var buffers: Set<String> { self == .bd3lm ? ["sampling_eps_min", "sampling_eps_max"] : [] }

    /// The layout of a model's configuration.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` for a `model_type` that is not known.
    init(_ source: ModelSource) throws {
        struct Probe: Decodable {
            struct Model: Decodable { var type: String? }
            struct Training: Decodable {
                var lossType: String?
                enum CodingKeys: String, CodingKey { case lossType = "loss_type" }
            }
            var model: Model?
            var training: Training?
        }
        if let type = try source.members?["model_type"] {
            guard case .string(let name) = type else {
                throw SEDDError(.invalidData, "\(source.place): model_type is \(type.name); expected a string")
            }
            guard let found = [Self.mdlm, .bd3lm, .duo].first(where: { $0.rawValue == name.lowercased() }) else {
                throw SEDDError(
                    .invalidData,
                    "\(source.place): model_type is '\(name.prefix(100))'; expected gpt2, mdlm, bd3lm or DUO, or a configuration of SEDD or RADD, which has none"
                )
            }
            self = found
            return
        }
        // A configuration that this probe cannot read is reported when its schema is read in full.
        let probe = try? source.decode(Probe.self) { _ in }
        let isRADD = probe?.model?.type == "ddit_wot" || probe?.training?.lossType?.hasSuffix("DCE") == true
        self = isRADD ? .radd : .sedd
    }

    /// The configuration equivalent to the description of a model in this layout.
    ///
    /// - Throws: ``SEDDError`` or `FileError` of kind `invalidData` that names the file and the key.
    func configuration(_ source: ModelSource) throws -> ModelConfiguration {
        switch self {
        case .sedd:
            return try source.decode(ModelConfiguration.self) { value throws(SEDDError) in try value.validate() }
        case .mdlm, .bd3lm, .duo:
            if let members = try source.members {
                try HubConfiguration.requireKnown(members, layout: self, place: source.place)
            }
            return try source.decode(HubConfiguration.self) { value throws(SEDDError) in try value.validate(self) }
                .configuration(self)
        case .radd:
            return try source.decode(RADDConfiguration.self) { value throws(SEDDError) in
                try value.configuration().validate()
            }.configuration()
        }
    }

    /// `config.json` of a model in this layout.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if the layout cannot express the model.
    func data(_ configuration: ModelConfiguration) throws -> Data {
        switch self {
        case .sedd: return try configuration.jsonData()
        case .mdlm, .bd3lm, .duo:
            try require(configuration, graph: self == .duo ? .uniform : .absorb, [.sigma, .zero])
            return try ConfigurationJSON.data(HubConfiguration(configuration, self))
        case .radd:
            try require(configuration, graph: .absorb, [.none])
            return try ConfigurationJSON.data(RADDConfiguration(configuration))
        }
    }

    private func require(
        _ configuration: ModelConfiguration, graph: ModelConfiguration.GraphKind, _ conditionings: [Conditioning]
    ) throws(SEDDError) {
        let (model, noise) = (configuration.model, configuration.noise)
        guard model.parametrisation == .cleanToken, configuration.graph.type == graph,
            conditionings.contains(model.conditioning), self == .radd || noise.type == .loglinear
        else {
            throw SEDDError(
                .usage,
                "\(title)'s layout holds models with parametrisation cleanToken, graph \(graph.rawValue), conditioning \(conditionings.map(\.rawValue).joined(separator: " or "))\(self == .radd ? "" : ", loglinear noise"); found \(model.parametrisation.rawValue), \(configuration.graph.type.rawValue), \(model.conditioning.rawValue), \(noise.type.rawValue)"
            )
        }
        let padding = configuration.padding ?? 0
        guard padding <= (self == .duo ? 1 : 0) else {
            throw SEDDError(
                .usage,
                "\(title)'s layout holds models with \(self == .duo ? "at most one token" : "no token") beyond the tokenizer's; found \(padding)"
            )
        }
    }

    /// A note for the user about a model read in this layout; nil for SEDD's.
    func note(_ configuration: ModelConfiguration) -> String? {
        let conditioning =
            switch configuration.model.conditioning {
            case .sigma: "conditioned on sigma"
            case .zero: "sigma held at 0"
            case .none: "without layers on sigma"
            }
        let chain = configuration.graph.type == .absorb ? "the last state is MASK" : "the uniform chain"
        return self == .sedd ? nil : "\(title)'s layout: outputs are laws of clean tokens, \(conditioning), \(chain)"
    }
}
