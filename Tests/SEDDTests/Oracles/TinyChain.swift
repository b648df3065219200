import Foundation
import Torch

@testable import SEDD

/// A chain with so few sequences that all of them can be enumerated: n tokens, V states, L positions, a known p0.
///
/// Sequences are numbered by their digits in base V, position 0 first. Everything here is plain float64 arithmetic from the
/// definitions; the code under test receives these numbers instead of a network's.
struct TinyChain {
    let graph: any TransitionGraph
    let noise: any NoiseSchedule
    let length: Int
    /// p0 of each of the V^L sequences; 0 for those that contain MASK.
    let p0: [Double]
    /// All sequences, V^L of L states.
    let sequences: [[Int]]
    /// Numbers of the sequences without MASK.
    let clean: [Int]

    /// A law that makes neighbours depend on each other, strictly positive, the same in every run.
    init(_ graph: any TransitionGraph, noise: any NoiseSchedule, length: Int, independent: Bool = false) {
        let stream = RandomStream(seed: 12, purpose: .initialization)
        self.init(graph, noise: noise, length: length) { sequence in
            let single = sequence.enumerated().reduce(0.0) { $0 + Double(($1.element * 2 + $1.offset) % 3) * 0.6 }
            guard !independent else { return exp(single) }
            let pairs = (1..<length).reduce(0.0) {
                $0 + 2 * stream.uniform(step: 0, sequence: sequence[$1 - 1], position: sequence[$1])
            }
            return exp(single + pairs)
        }
    }

    /// p0 in proportion to `weight` of each clean sequence.
    init(_ graph: any TransitionGraph, noise: any NoiseSchedule, length: Int, weight: ([Int]) -> Double) {
        self.graph = graph
        self.noise = noise
        self.length = length
        let states = graph.states
        let count = (0..<length).reduce(1) { product, _ in product * states }
        let sequences = (0..<count).map { number -> [Int] in
            var rest = number
            return (0..<length).map { _ in
                defer { rest /= states }
                return rest % states
            }.reversed()
        }
        self.sequences = sequences
        let weights = sequences.map { sequence in
            sequence.contains { $0 >= graph.tokens } ? 0 : weight(sequence)
        }
        let total = weights.reduce(0, +)
        p0 = weights.map { $0 / total }
        clean = weights.indices.filter { weights[$0] > 0 }
    }

    /// p0 by sequence.
    var law: [[Int]: Double] { Dictionary(uniqueKeysWithValues: clean.map { (sequences[$0], p0[$0]) }) }

    /// The inputs for enumerating methods on this chain.
    var oracle: MethodOracle {
        MethodOracle(process: DiffusionProcess(graph: graph, noise: noise), scores: ChainScores(self))
    }

    /// exp(sigma Q), by rows, from the definition of Q.
    func kernel(_ sigma: Double) -> [[Double]] {
        let (v, stay) = (graph.states, exp(-sigma))
        return (0..<v).map { from in
            (0..<v).map { to in
                guard let mask = graph.mask else { return (1 - stay) / Double(v) + (to == from ? stay : 0) }
                if from == mask { return to == mask ? 1 : 0 }
                return to == from ? stay : to == mask ? 1 - stay : 0
            }
        }
    }

    /// The law over sequences after every position has gone through `kernel`.
    func moved(_ law: [Double], by kernel: [[Double]]) -> [Double] {
        let v = graph.states
        var law = law
        var step = 1
        for _ in 0..<length {
            var next = [Double](repeating: 0, count: law.count)
            for (number, p) in law.enumerated() where p > 0 {
                let state = number / step % v
                for to in 0..<v { next[number + (to - state) * step] += p * kernel[state][to] }
            }
            law = next
            step *= v
        }
        return law
    }

    /// p_t, at total noise `sigma`.
    func law(_ sigma: Double) -> [Double] { moved(p0, by: kernel(sigma)) }

    /// p_{t|0} from the sequence `number`.
    func law(_ sigma: Double, from number: Int) -> [Double] {
        var point = [Double](repeating: 0, count: p0.count)
        point[number] = 1
        return moved(point, by: kernel(sigma))
    }

    /// The law that sampling starts from.
    func limit() -> [Double] {
        guard let mask = graph.mask else { return [Double](repeating: 1 / Double(p0.count), count: p0.count) }
        return sequences.map { $0.allSatisfy { $0 == mask } ? 1 : 0 }
    }

    /// log p_t(y) / p_t(x) for the sequences x of `numbers`: one row a position, in the order of the sequences.
    func logScores(_ law: [Double], of numbers: [Int]) throws -> LogScore {
        let v = graph.states
        var logs: [Float] = []
        logs.reserveCapacity(numbers.count * length * v)
        for number in numbers {
            for position in 0..<length {
                let step = place(position)
                let state = sequences[number][position]
                for y in 0..<v {
                    let ratio = law[number + (y - state) * step] / law[number]
                    logs.append(y == state ? 0 : ratio > 0 ? Float(log(ratio)) : -100)
                }
            }
        }
        return try LogScore(Tensor(logs, shape: [numbers.count * length, v]))
    }

    /// The rows of ``logScores(_:of:)``.
    func rows(_ numbers: [Int], sigma: Double) throws -> Rows {
        let states = numbers.flatMap { sequences[$0] }
        return try Rows(states: states, sigma: [Double](repeating: sigma, count: states.count))
    }

    /// What a change of one at `position` adds to a sequence's number.
    func place(_ position: Int) -> Int { (position..<(length - 1)).reduce(1) { product, _ in product * graph.states } }

    /// Half the sum of absolute differences.
    static func totalVariation(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
    }

    /// sum a log(a / b).
    static func divergence(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $1.0 > 0 ? $0 + $1.0 * log($1.0 / $1.1) : $0 }
    }
}

/// Gauss-Legendre nodes and weights on an interval, by Newton's method on the Legendre polynomial.
func gaussLegendre(_ count: Int, from a: Double, to b: Double) -> [(node: Double, weight: Double)] {
    (0..<count).map { index in
        var x = cos(.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
        var slope = 0.0
        for _ in 0..<100 {
            var (p, before) = (1.0, 0.0)
            for k in 0..<count {
                (p, before) = ((Double(2 * k + 1) * x * p - Double(k) * before) / Double(k + 1), p)
            }
            slope = Double(count) * (x * p - before) / (x * x - 1)
            let step = p / slope
            x -= step
            if abs(step) < 1e-15 { break }
        }
        let weight = 2 / ((1 - x * x) * slope * slope)
        return ((a + b) / 2 + (b - a) / 2 * x, (b - a) / 2 * weight)
    }
}
