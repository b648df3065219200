import Torch

/// E[-log p(x0 | x_t)] at the smallest time t, nats per block, where p is the law of the sampler's final denoising.
///
/// A position is displaced with a probability d near 1e-5, too rarely for plain draws. The expectation is therefore
/// split: positions that have not moved are covered by plain draws (under absorption they contribute exactly 0), and
/// displaced positions by displacing one position of the block and weighting its contribution by L d.
struct ReconstructionTerm: Sendable {
    private let network: ScoreNetwork
    private let graph: any TransitionGraph
    private let sigma: Double
    private let stream: RandomStream

    init(network: ScoreNetwork, sigma: Double, seed: UInt64) {
        self.network = network
        self.sigma = sigma
        graph = network.configuration.makeGraph()
        stream = RandomStream(seed: seed, purpose: .reconstruction)
    }

    /// - Parameter blocks: blocks of equal length; the number determines the draws.
    func nats(_ blocks: [(number: Int, tokens: [Int])], tokensPerBatch: Int) throws -> [Double] {
        let length = blocks.first?.tokens.count ?? 1
        let group = max(1, tokensPerBatch / max(1, length))
        let scale = graph.displacement(sigma: sigma) * Double(length)
        var result = [Double](repeating: 0, count: blocks.count)
        for start in stride(from: 0, to: blocks.count, by: group) {
            let chosen = start..<min(start + group, blocks.count)
            let noised = chosen.map { self.noised(blocks[$0]) }
            let clean = chosen.flatMap { blocks[$0].tokens }
            if graph.mask == nil {
                let states = noised.flatMap { $0 }
                let kept = states.indices.filter { states[$0] == clean[$0] }
                for (index, nats) in zip(kept, try self.nats(states, clean, length, at: kept)) {
                    result[start + index / length] += nats
                }
            }
            let moved = zip(chosen, noised).map { displaced(blocks[$0], $1) }
            let places = moved.enumerated().map { $0 * length + $1.place }
            for (index, nats) in zip(chosen, try self.nats(moved.flatMap(\.states), clean, length, at: places)) {
                result[index] += scale * nats
            }
        }
        return result
    }

    private func noised(_ block: (number: Int, tokens: [Int])) -> [Int] {
        block.tokens.enumerated().map { position, token in
            graph.corrupted(token, sigma: sigma) {
                stream.uniform(step: block.number, sequence: 0, position: position, draw: $0)
            }
        }
    }

    private func displaced(_ block: (number: Int, tokens: [Int]), _ noised: [Int]) -> (states: [Int], place: Int) {
        var states = noised
        let place = stream.integer(below: states.count, step: block.number, sequence: 1)
        states[place] = graph.displaced(block.tokens[place]) {
            stream.uniform(step: block.number, sequence: 2, draw: $0)
        }
        return (states, place)
    }

    /// The nats at positions `places` of concatenated sequences.
    private func nats(_ states: [Int], _ clean: [Int], _ length: Int, at places: [Int]) throws -> [Double] {
        let count = states.count / length
        let tokens = try Tensor(states, shape: [count, length], device: network.device)
        let hidden = try network.hidden(tokens, sigma: [Double](repeating: sigma, count: count))
        let headRows = HeadRows(outputs: graph.states, device: network.device)
        var nats: [Double] = []
        for chunk in headRows.chunks(of: places.count) {
            let part = Array(places[chunk])
            let rows = try Rows(
                states: part.map { states[$0] }, sigma: [Double](repeating: sigma, count: part.count),
                device: network.device)
            let chosen = try hidden.rows(Tensor(part, device: network.device))
            let logScore = try network.logScore(hidden: chosen, rows)
            let target = try Tensor(part.map { clean[$0] }, device: network.device)
            nats += try graph.reconstruction(logScore, rows, clean: target).array(Double.self)
        }
        return nats
    }
}
