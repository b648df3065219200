import Foundation
import Torch

/// sigma -> 256 sinusoids, cosines first -> linear -> SiLU -> linear -> SiLU; [B] to [B, cond].
struct SigmaEmbedding: Sendable {
    /// Number of sinusoids, half of them cosines.
    static let frequencies = 256

    let weight0, bias0, weight2, bias2: Tensor

    init(_ weights: Weights) throws {
        weight0 = try weights("sigma_map.mlp.0.weight")
        bias0 = try weights("sigma_map.mlp.0.bias")
        weight2 = try weights("sigma_map.mlp.2.weight")
        bias2 = try weights("sigma_map.mlp.2.bias")
    }

    /// - Parameters:
    ///   - waves: the sinusoids, [B, frequencies].
    ///   - recording: whether gradients may be requested; if not, each row is a bit-exact function of its noise alone.
    func callAsFunction(_ waves: Tensor, recording: Bool) throws -> Tensor {
        if recording { return try waves.linear(weight0, bias0).silu().linear(weight2, bias2).silu() }  // [B, cond]
        let middle = try waves.rowLinear(weight0.detached(), bias0.detached()).rowSilu()  // [B, cond]
        return try middle.rowLinear(weight2.detached(), bias2.detached()).rowSilu()  // [B, cond]
    }

    /// The sinusoids of each total noise, concatenated.
    static func waves(_ sigma: [Double]) -> [Float] {
        let half = frequencies / 2
        // Single precision throughout, as in the training of the released weights.
        let rates = (0..<half).map { exp(-Float(log(10000.0)) * Float($0) / Float(half)) }
        var waves: [Float] = []
        waves.reserveCapacity(sigma.count * frequencies)
        for s in sigma {
            let angles = rates.map { Float(s) * $0 }
            waves += angles.map { cos($0) }
            waves += angles.map { sin($0) }
        }
        return waves
    }
}
