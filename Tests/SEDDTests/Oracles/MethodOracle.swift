import Foundation
import Torch

@testable import SEDD

/// Scores of single positions given everything else, in double precision.
protocol ExactScores {
    /// s_y at each of `positions` of a sequence, one for each state; 1 at the own state.
    func scores(_ states: [Int], at positions: [Int], sigma: Double) throws -> [[Double]]
}

/// The exact law of a sampling method: all its outcomes with their probabilities.
///
/// A trajectory is advanced once for every outcome of every draw and decision, and indistinguishable trajectories are
/// merged. Nothing is drawn, so there are no false alarms.
struct MethodOracle {
    let process: DiffusionProcess
    let scores: any ExactScores
    /// Random numbers that are not enumerated, one per advance; 1/2 once they are used up.
    var numbers: [Double] = []

    /// The law of finished sequences, and the evaluations that they take on average.
    struct Law {
        var probabilities: [[Int]: Double] = [:]
        var evaluations = 0.0

        func divergence(from p0: [[Int]: Double]) -> Double {
            p0.reduce(0) { $1.value > 0 ? $0 + $1.value * log($1.value / (probabilities[$1.key] ?? 0)) : $0 }
        }

        func totalVariation(from p0: [[Int]: Double]) -> Double {
            Set(p0.keys).union(probabilities.keys).reduce(0) {
                $0 + abs((p0[$1] ?? 0) - (probabilities[$1] ?? 0)) / 2
            }
        }
    }

    /// What distinguishes trajectories.
    private struct Key: Hashable {
        let states: [Int]
        let notes: [Double]
        let kept: [Int]?
        let isFinished: Bool
    }

    private struct Entry {
        var trajectory: Trajectory
        var probability: Double
        /// Evaluations so far, times the probability.
        var evaluations: Double
    }

    /// - Parameters:
    ///   - template: its count is the length.
    ///   - start: sequences to start from with their probabilities; by default the limit of the chain.
    ///   - advances: where to stop; at the end unless given.
    ///   - look: receives the law of states after each advance.
    func law(
        _ settings: SamplingSettings, template: [Int?], from start: [[Int]: Double]? = nil, advances: Int = .max,
        look: ((_ done: Int, _ time: Double, _ law: [[Int]: Double]) -> Void)? = nil
    ) throws -> Law {
        let method = try SamplingMethods.make(settings, for: process)
        let first = try Trajectory(
            template: template, seed: 0, settings: settings, method: method, process: process)
        var entries = (start ?? limit(template)).map { states, probability -> Entry in
            var trajectory = first
            trajectory.states = states
            return Entry(trajectory: trajectory, probability: probability, evaluations: 0)
        }
        var done = 0
        while done < advances, entries.contains(where: { !$0.trajectory.isFinished }) {
            var next: [Key: Entry] = [:]
            for entry in entries {
                try each(entry, number: done < numbers.count ? numbers[done] : 0.5) { found in
                    let kept = (found.trajectory.kept as? KeptStates)?.states
                    let key = Key(
                        states: found.trajectory.states, notes: found.trajectory.notes, kept: kept,
                        isFinished: found.trajectory.isFinished)
                    if let known = next[key] {
                        next[key]?.probability = known.probability + found.probability
                        next[key]?.evaluations = known.evaluations + found.evaluations
                    } else {
                        next[key] = found
                    }
                }
            }
            entries = Array(next.values)
            done += 1
            if let look, let one = entries.first {
                look(done, one.trajectory.time, states(entries).probabilities)
            }
        }
        return states(entries)
    }

    private func states(_ entries: [Entry]) -> Law {
        entries.reduce(into: Law()) {
            $0.probabilities[$1.trajectory.states, default: 0] += $1.probability
            $0.evaluations += $1.evaluations
        }
    }

    private func limit(_ template: [Int?]) -> [[Int]: Double] {
        if let mask = process.graph.mask { return [template.map { $0 ?? mask }: 1] }
        let size = process.graph.states
        var law: [[Int]: Double] = [[]: 1]
        for given in template {
            law = law.reduce(into: [:]) { longer, entry in
                for state in given.map({ [$0] }) ?? Array(0..<size) {
                    longer[entry.key + [state]] = entry.value / (given == nil ? Double(size) : 1)
                }
            }
        }
        return law
    }

    private func each(_ entry: Entry, number: Double, _ body: (Entry) -> Void) throws {
        guard !entry.trajectory.isFinished else { return body(entry) }
        let script = Script(number: number)
        // All ways from here that ask the same question draw from the same laws.
        var laws: PositionLaws?
        repeat {
            script.begin()
            var trajectory = entry.trajectory
            trajectory.outcomes = script
            if let question = trajectory.method.ask(trajectory) {
                let known = laws.flatMap { $0.answers(question) ? $0 : nil }
                let current = try known ?? PositionLaws(question, trajectory, self)
                laws = current
                trajectory.advance(question, answer(question, trajectory, current, script))
            } else {
                trajectory.finish()
            }
            trajectory.outcomes = nil
            let evaluations = Double(trajectory.networkEvaluations - entry.trajectory.networkEvaluations)
            let probability = entry.probability * script.probability
            body(
                Entry(
                    trajectory: trajectory, probability: probability,
                    evaluations: entry.evaluations * script.probability + evaluations * probability))
        } while script.advance()
    }

    /// The answer of a network with these scores, with draws taken from the script.
    private func answer(
        _ question: Question, _ trajectory: Trajectory, _ laws: PositionLaws, _ script: Script
    ) -> Answer {
        var answer = Answer(expecting: question)
        for (place, law) in laws.next.enumerated() {
            let drawn = script.index(law)
            answer.states[place] = drawn
            answer.probabilities?[place] = laws.clean[place][drawn]
        }
        if question.wantsShapes { answer.shapes = laws.shapes }
        if question.keeps { answer.kept = KeptStates(states: trajectory.states, sigma: question.sigma) }
        return answer
    }

    /// What a question about a trajectory is answered from, by position.
    private struct PositionLaws {
        private let question: Question
        /// The law of the next state.
        let next: [[Double]]
        /// The filtered law of the clean token, if its probabilities are requested.
        private(set) var clean: [[Double]] = []
        /// The shapes of the clean token's unfiltered law, if requested.
        private(set) var shapes: [LawShape] = []

        init(_ question: Question, _ trajectory: Trajectory, _ oracle: MethodOracle) throws {
            let (process, sigma) = (oracle.process, question.sigma)
            func scores(_ states: [Int], _ sigma: Double) throws -> [[Double]] {
                try oracle.scores.scores(states, at: question.positions, sigma: sigma)
            }
            func filtered(_ scores: [[Double]], _ states: [Int], _ sigma: Double) -> [[Double]] {
                zip(question.positions, scores).map {
                    process.filtered($1, own: states[$0], sigma: sigma, question.filter)
                }
            }
            let plain = try scores(trajectory.states, sigma)
            let now = filtered(plain, trajectory.states, sigma)
            let before = try (trajectory.kept as? KeptStates).map {
                filtered(try scores($0.states, $0.sigma), $0.states, $0.sigma)
            }
            let own = question.positions.map { trajectory.states[$0] }
            self.question = question
            next = own.indices.map { place in
                let weights = question.law.weights(
                    now[place], own: own[place], mask: process.graph.mask, earlier: before?[place])
                let total = weights.reduce(0, +)
                return weights.map { $0 / total }
            }
            if question.wantsProbabilities {
                clean = own.indices.map { process.cleanLaw(now[$0], own: own[$0], sigma: sigma) }
            }
            if question.wantsShapes {
                shapes = own.indices.map { place in
                    let law = process.cleanLaw(plain[place], own: own[place], sigma: sigma)
                    let sorted = law.sorted(by: >)
                    return LawShape(
                        first: sorted[0], second: sorted[1], entropy: -law.reduce(0) { $1 > 0 ? $0 + $1 * log($1) : $0 }
                    )
                }
            }
        }

        /// Whether another question about the same trajectory has the same laws.
        func answers(_ other: Question) -> Bool {
            other.positions == question.positions && other.sigma == question.sigma && other.law == question.law
                && other.filter == question.filter && other.wantsShapes == question.wantsShapes
                && other.wantsProbabilities == question.wantsProbabilities
        }
    }

    private struct KeptStates: KeptEvaluation {
        let states: [Int]
        let sigma: Double
    }
}

/// All paths through a sequence of choices.
private final class Script: Outcomes, @unchecked Sendable {
    private var path: [(choice: Int, probabilities: [Double])] = []
    private var place = 0
    private let fixed: Double
    /// Of the way that has been gone.
    private(set) var probability = 1.0

    init(number: Double) { fixed = number }

    func begin() { (place, probability) = (0, 1) }

    func number() -> Double { fixed }

    func index(_ probabilities: [Double]) -> Int {
        if place == path.count {
            path.append((probabilities.firstIndex { $0 > 0 } ?? 0, probabilities))
        }
        let step = path[place]
        place += 1
        probability *= step.probabilities[step.choice]
        return step.choice
    }

    /// Moves to the next path; false if there is none.
    func advance() -> Bool {
        while let last = path.popLast() {
            let rest = last.probabilities.indices.dropFirst(last.choice + 1)
            guard let next = rest.first(where: { last.probabilities[$0] > 0 }) else { continue }
            path.append((next, last.probabilities))
            return true
        }
        return false
    }
}

/// The exact scores of an enumerable chain.
final class ChainScores: ExactScores {
    private let chain: TinyChain
    private var laws: [Double: [Double]] = [:]

    init(_ chain: TinyChain) { self.chain = chain }

    func scores(_ states: [Int], at positions: [Int], sigma: Double) -> [[Double]] {
        let law = laws[sigma] ?? chain.law(sigma)
        laws[sigma] = law
        let number = states.reduce(0) { $0 * chain.graph.states + $1 }
        return positions.map { position in
            let step = chain.place(position)
            return (0..<chain.graph.states).map { law[number + ($0 - states[position]) * step] / law[number] }
        }
    }
}

/// The scores of a network, by sequence and noise.
final class NetworkScores: ExactScores {
    private struct Key: Hashable {
        let states: [Int]
        let sigma: Double
    }
    private let network: ScoreNetwork
    private var known: [Key: [[Double]]] = [:]

    init(_ network: ScoreNetwork) { self.network = network }

    func scores(_ states: [Int], at positions: [Int], sigma: Double) throws -> [[Double]] {
        let key = Key(states: states, sigma: sigma)
        let all = try known[key] ?? look(key)
        known[key] = all
        return positions.map { all[$0] }
    }

    private func look(_ key: Key) throws -> [[Double]] {
        let length = key.states.count
        let hidden = try network.hidden(Tensor(key.states, shape: [1, length]), sigma: [key.sigma])
        let rows = try Rows(states: key.states, sigma: [Double](repeating: key.sigma, count: length))
        let logs: [Double] = try network.logScore(hidden: hidden, rows).tensor.array()
        let size = network.configuration.states
        return (0..<length).map { position in
            (0..<size).map { $0 == key.states[position] ? 1 : exp(logs[position * size + $0]) }
        }
    }
}
