import Files

/// How a sequence evolves from noise to text: at which positions, at which noise level and from which law states are
/// drawn, and how the answer is applied.
///
/// A method uses no tensors and knows no batch, so tests can enumerate all its outcomes. It is a value shared by many
/// trajectories; per-sequence state is kept in the trajectory.
public protocol SamplingMethod: Sendable {
    /// The declaration of the method.
    var kind: SamplingMethodKind { get }
    /// Whether it may mask tokens again, so that none is final before the end.
    var revises: Bool { get }
    /// Upper bound on the advances of a trajectory, each with one question.
    func planned(for trajectory: Trajectory) -> Int
    /// The next question of the trajectory; nil once it is finished.
    func ask(_ trajectory: Trajectory) -> Question?
    /// Applies the answer to the trajectory.
    func apply(_ answer: Answer, to question: Question, _ trajectory: inout Trajectory)
}

extension SamplingMethod {
    /// False: what has settled stays.
    public var revises: Bool { false }
}

/// The declaration of a sampling method: its name, its settings, and what is proved about its law.
public struct SamplingMethodKind: Sendable {
    /// The law of its samples given exact scores, which the tests verify: of samples without a prompt, with one
    /// position per evaluation where positions are revealed in an order, and with the default strategy where there are
    /// several.
    public enum Claim: Sendable, Equatable {
        /// Exactly the law of the data.
        case exact
        /// Converges to the law of the data as steps become finer.
        case converges
        /// A different law, however fine the steps.
        case heuristic
    }

    /// The chains that a method can reverse.
    public enum Chains: Sendable, Equatable {
        /// One of the two chains, or both.
        case absorbing, uniform, both
    }

    /// Name in commands, requests and reports.
    public let name: String
    /// One line: what it does and what it costs.
    public let summary: String
    /// The chains it can reverse.
    public let chains: Chains
    /// What the tests verify about its law.
    public let claim: Claim
    /// Whether it follows the steps of a time grid; false if events or the state decide when it evaluates the network.
    public let usesGrid: Bool
    /// Settings of this method, besides those common to all methods.
    public let settings: [SettingDeclaration]
    let make: @Sendable (SamplingSettings, DiffusionProcess) throws(SEDDError) -> any SamplingMethod

    init(
        _ name: String, chains: Chains, claim: Claim, usesGrid: Bool = true, settings: [SettingDeclaration] = [],
        summary: String,
        make: @escaping @Sendable (SamplingSettings, DiffusionProcess) throws(SEDDError) -> any SamplingMethod
    ) {
        self.name = name
        self.summary = summary
        self.chains = chains
        self.claim = claim
        self.usesGrid = usesGrid
        self.settings = settings
        self.make = make
    }

    /// Whether it can reverse `graph`.
    public func reverses(_ graph: any TransitionGraph) -> Bool {
        switch chains {
        case .both: true
        case .absorbing: graph.mask != nil
        case .uniform: graph.mask == nil
        }
    }
}

/// The registry of sampling methods. A new method is a new file and a line here.
public enum SamplingMethods {
    /// All methods; the default comes first.
    public static let all: [SamplingMethodKind] = [
        GridMethod.analytic, GridMethod.euler, TrapezoidalMethod.kind, FirstHittingMethod.kind, OrderMethod.confidence,
        OrderMethod.margin, OrderMethod.entropy, OrderMethod.random, OrderMethod.leftToRight, OrderMethod.entropyBound,
        RemaskMethod.kind,
    ]

    /// The names accepted by ``named(_:)``; the default comes first.
    public static var names: [String] { all.map(\.name) }

    /// All settings that any method declares, without duplicates.
    public static var settings: [SettingDeclaration] {
        all.flatMap(\.settings).reduce(into: []) { known, setting in
            if !known.contains(where: { $0.name == setting.name }) { known.append(setting) }
        }
    }

    /// The method called `name`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` that lists the known names.
    public static func named(_ name: String) throws(SEDDError) -> SamplingMethodKind {
        guard let found = all.first(where: { $0.name == name }) else {
            throw SEDDError(
                .usage, "sampler '\(name.prefix(100))' is unknown; expected one of \(names.joined(separator: ", "))")
        }
        return found
    }

    /// The method described by `settings`, for a model.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` for settings that do not fit the method or the model's chain.
    public static func make(
        _ settings: SamplingSettings, for process: DiffusionProcess
    ) throws(SEDDError) -> any SamplingMethod {
        try settings.validate()
        let kind = try named(settings.method)
        guard kind.reverses(process.graph) else {
            let chain = process.isAbsorbing ? "absorb" : "uniform"
            let fitting = all.filter { $0.reverses(process.graph) }.map(\.name)
            throw SEDDError(
                .usage,
                "sampler '\(kind.name)' cannot reverse the model's chain, \(chain); expected one of \(fitting.joined(separator: ", "))"
            )
        }
        return try kind.make(settings, process)
    }
}
