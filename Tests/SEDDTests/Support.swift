import Foundation
import Testing
import Torch

@testable import SEDD

/// Files beside the checkout that some tests compare with; those tests are skipped if the files are absent.
enum Shared {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared")
    static let golden = root.appending(path: "golden")
    static let hasGolden = FileManager.default.fileExists(atPath: golden.path)
    static let models = ["absorb", "absorb-geometric", "uniform"]
}

/// A temporary folder for one test, removed at its end.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "sedd-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// The greatest difference between two lists of numbers, and where it is.
struct Difference: CustomStringConvertible {
    var absolute = 0.0
    var relative = 0.0
    var place = 0
    let counts: (Int, Int)

    /// - Parameter floor: magnitude below which relative differences are meaningless.
    init(_ found: [Double], _ expected: [Double], floor: Double = 1e-12) {
        counts = (found.count, expected.count)
        for (index, (a, b)) in zip(found, expected).enumerated() {
            let difference = a.isFinite && b.isFinite ? abs(a - b) : .infinity
            if difference > absolute { (absolute, place) = (difference, index) }
            relative = max(relative, difference / max(abs(b), floor))
        }
        if found.count != expected.count { (absolute, relative) = (.infinity, .infinity) }
    }

    var description: String { "greatest difference \(absolute) (relative \(relative)) at \(place) of \(counts)" }
}

/// A small configuration for tests that need a network.
func smallConfiguration(
    _ graph: ModelConfiguration.GraphKind = .absorb, tokens: Int = 11, length: Int = 12,
    _ parametrisation: Parametrisation = .score, _ conditioning: Conditioning = .sigma
) -> ModelConfiguration {
    ModelConfiguration(
        tokens: tokens, graph: .init(type: graph),
        noise: .init(type: graph == .absorb ? .loglinear : .geometric, sigmaMin: 1e-3, sigmaMax: 8),
        model: .init(
            hiddenSize: 32, condDim: 16, length: length, nBlocks: 2, nHeads: 2,
            scaleBySigma: graph == .absorb && parametrisation == .score, dropout: 0.1,
            parametrisation: parametrisation, conditioning: conditioning))
}

/// A kind of network: its chain, the meaning of its outputs, and its conditioning on noise.
struct NetworkKind: Sendable, Hashable, CustomStringConvertible {
    let graph: ModelConfiguration.GraphKind
    var parametrisation = Parametrisation.score
    var conditioning = Conditioning.sigma

    static let scores = ModelConfiguration.GraphKind.allCases.map { NetworkKind(graph: $0) }
    static let cleanTokens = [
        NetworkKind(graph: .absorb, parametrisation: .cleanToken),
        NetworkKind(graph: .absorb, parametrisation: .cleanToken, conditioning: .zero),
        NetworkKind(graph: .absorb, parametrisation: .cleanToken, conditioning: .none),
        NetworkKind(graph: .uniform, parametrisation: .cleanToken),
    ]
    static let all = scores + cleanTokens + [NetworkKind(graph: .absorb, conditioning: .none)]

    var description: String { "\(graph.rawValue), \(parametrisation.rawValue), \(conditioning.rawValue)" }

    func configuration(tokens: Int = 11, length: Int = 12) -> ModelConfiguration {
        smallConfiguration(graph, tokens: tokens, length: length, parametrisation, conditioning)
    }
}

/// A network with random weights, including the layers that are initialized to zero.
func randomNetwork(_ configuration: ModelConfiguration, seed: UInt64 = 5) throws -> ScoreNetwork {
    let network = try ScoreNetwork(configuration, seed: seed)
    let stream = RandomStream(seed: seed, purpose: .initialization)
    for (place, entry) in network.weights.layout.entries.enumerated()
    where !entry.name.contains("norm") || entry.name.hasSuffix(".bias") {
        let values = (0..<entry.count).map {
            Float(0.3 * (2 * stream.uniform(step: 1, sequence: place, position: $0) - 1))
        }
        try network.weights(entry.name).copyInPlace(Tensor(values, shape: entry.shape))
    }
    return network
}
