import Files

/// How a sequence goes from noise to text: which positions want which law at which noise, and what follows from the answer.
///
/// A method holds no tensor and knows no batch, so a test can enumerate everything that it does. It is a value that many
/// trajectories share; what it has to remember of one is kept in the trajectory.
public protocol SamplingMethod: Sendable {
    /// Its declaration.
    var kind: SamplingMethodKind { get }
    /// Advances that a trajectory takes at most, each with one question.
    func planned(for trajectory: Trajectory) -> Int
    /// What the trajectory wants next; nil once it is done.
    func ask(_ trajectory: Trajectory) -> Question?
    /// What the answer makes of the trajectory.
    func apply(_ answer: Answer, to question: Question, _ trajectory: inout Trajectory)
}

/// A method as it can be named: what it is, what it can be told, and what is proved of it.
public struct SamplingMethodKind: Sendable {
    /// What its law is where the scores are exact, which the tests hold it to.
    public enum Claim: Sendable, Equatable {
        /// The law of the data itself.
        case exact
        /// The law of the data as the steps grow finer.
        case converges
        /// Another law, whatever the steps.
        case heuristic
    }

    /// The chains that a method can reverse.
    public enum Chains: Sendable, Equatable {
        case absorbing, uniform, both
    }

    /// The name that commands, requests and reports use.
    public let name: String
    /// One line: what it does, and at what cost.
    public let summary: String
    public let chains: Chains
    public let claim: Claim
    /// The settings that it has beside those of all methods.
    public let settings: [SettingDeclaration]
    let make: @Sendable (SamplingSettings, DiffusionProcess) throws(SEDDError) -> any SamplingMethod

    init(
        _ name: String, chains: Chains, claim: Claim, settings: [SettingDeclaration] = [], summary: String,
        make: @escaping @Sendable (SamplingSettings, DiffusionProcess) throws(SEDDError) -> any SamplingMethod
    ) {
        self.name = name
        self.summary = summary
        self.chains = chains
        self.claim = claim
        self.settings = settings
        self.make = make
    }

    /// Whether it can reverse a chain.
    public func reverses(_ graph: any TransitionGraph) -> Bool {
        switch chains {
        case .both: true
        case .absorbing: graph.mask != nil
        case .uniform: graph.mask == nil
        }
    }
}

/// The methods that can be named. A new one is a file and a line here.
public enum SamplingMethods {
    /// The standard one first.
    public static let all: [SamplingMethodKind] = [
        GridMethod.analytic, GridMethod.euler, TrapezoidalMethod.kind, FirstHittingMethod.kind, OrderMethod.confidence,
        OrderMethod.margin, OrderMethod.entropy, OrderMethod.random, OrderMethod.leftToRight, OrderMethod.entropyBound,
        RemaskMethod.kind,
    ]

    /// What ``named(_:)`` knows, the standard one first.
    public static var names: [String] { all.map(\.name) }

    /// All settings that some method declares, each once.
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

    /// The method that settings describe, for a model.
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
