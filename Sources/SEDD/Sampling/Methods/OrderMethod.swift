/// Reveals positions in a chosen order: positions are selected from the state, then a token is drawn for each from its
/// clean token law.
///
/// Law: exact with exact scores if one position is revealed per evaluation, in whatever order; k positions at once draw
/// their tokens independently given what is known. The network, which is conditioned on noise, is given the noise level
/// of the sequence's masked fraction. Evaluations: at most S + 1, and no more than there are positions (S under the
/// linear grid); with `positions` k, a k-th of the number of positions.
struct OrderMethod: SamplingMethod {
    static let positions = SettingDeclaration(
        "positions", .whole(0...1_000_000), standard: .number(0),
        help: "Positions revealed per evaluation; 0 spreads them over the steps.")
    static let gamma = SettingDeclaration(
        "gamma", .number(0...1000), standard: .number(0.1),
        help: "Maximum mutual dependence of the positions revealed together, in nats.")

    static let confidence = kind("confidence", .confidence, "Most confident position first, one evaluation per step")
    static let margin = kind(
        "margin", .margin, "Largest margin between the two best tokens first, one evaluation per step")
    static let entropy = kind("entropy", .entropy, "Lowest-entropy position first, one evaluation per step")
    static let random = kind("random", .random, "Random position next, one evaluation per step")
    static let leftToRight = kind("left-to-right", .leftToRight, "Left to right, one evaluation per step")

    static let entropyBound = SamplingMethodKind(
        "entropy-bound", chains: .absorbing, claim: .heuristic, usesGrid: false, settings: [gamma],
        summary: "As many nearly independent positions at once as the bound allows; the number of evaluations follows"
    ) { settings, process throws(SEDDError) in
        try OrderMethod("entropy-bound", .entropyBound(settings.number(gamma)), settings, process)
    }

    private static func kind(_ name: String, _ order: RevealOrder, _ summary: String) -> SamplingMethodKind {
        SamplingMethodKind(name, chains: .absorbing, claim: .exact, settings: [positions], summary: summary) {
            settings, process throws(SEDDError) in try OrderMethod(name, order, settings, process)
        }
    }

    /// The names of the methods whose order depends only on the state.
    static let deterministicNames = [confidence, margin, entropy, leftToRight, entropyBound].map(\.name)

    let kind: SamplingMethodKind
    /// Whether the order depends only on the state.
    var isDeterministic: Bool { order.isDeterministic }
    /// Whether steps and grid determine how many positions are revealed at once.
    var usesSteps: Bool { count == nil }
    private let order: RevealOrder
    private let process: DiffusionProcess
    private let filter: TokenFilter
    /// Positions per evaluation; nil if the grid determines how many remain masked after each step.
    private let count: Int?
    private let grid: TimeGrid

    private init(
        _ name: String, _ order: RevealOrder, _ settings: SamplingSettings, _ process: DiffusionProcess
    ) throws(SEDDError) {
        kind = try SamplingMethods.named(name)
        self.order = order
        self.process = process
        filter = settings.filter
        grid = try TimeGrid(settings.grid, steps: settings.steps, process: process)
        let given = settings.whole(Self.positions)
        if case .entropyBound = order { count = 1 } else { count = given > 0 ? given : nil }
    }

    func planned(for trajectory: Trajectory) -> Int { counts(trajectory.open.count).count }

    /// How many positions each evaluation reveals; `free` in total.
    private func counts(_ free: Int) -> [Int] {
        if let count { return (0..<(free + count - 1) / count).map { min(count, free - $0 * count) } }
        let first = process.displaced(1)
        var left = free
        // The grid ends where denoising starts, which is a step too.
        return (1...grid.steps + 1).compactMap { step -> Int? in
            let share = step <= grid.steps ? process.displaced(grid.times[step]) / first : 0
            let masked = step == grid.steps + 1 ? 0 : Int((Double(free) * share).rounded())
            defer { left = min(left, masked) }
            return masked < left ? left - masked : nil
        }
    }

    func ask(_ trajectory: Trajectory) -> Question? {
        let open = trajectory.open
        guard !open.isEmpty, !trajectory.isFinished else { return nil }
        let sigma = process.sigma(displaced: Double(open.count) / Double(trajectory.states.count))
        var question = Question(
            sigma: sigma, timeAfter: 0, positions: open, law: .linear(process.graph.denoisingRule(sigma: sigma)),
            filter: filter)
        question.wantsShapes = order.needsShapes
        if !order.needsShapes { question.positions = chosen(trajectory, open, shapes: nil).map { open[$0] } }
        let left = open.count - (order.needsShapes ? 1 : question.positions.count)
        question.timeAfter = process.time(displaced: Double(left) / Double(trajectory.states.count))
        return question
    }

    private func chosen(_ trajectory: Trajectory, _ open: [Int], shapes: [LawShape]?) -> [Int] {
        let counts = counts(trajectory.written)
        let count = trajectory.done < counts.count ? counts[trajectory.done] : open.count
        return order.chosen(of: open, shapes: shapes, count: count) { trajectory.choice(of: $0, draw: $1) }
    }

    func apply(_ answer: Answer, to question: Question, _ trajectory: inout Trajectory) {
        trajectory.take(
            answer, question,
            only: order.needsShapes ? chosen(trajectory, question.positions, shapes: answer.shapes) : nil)
        if trajectory.open.isEmpty { trajectory.finish() }
    }
}
