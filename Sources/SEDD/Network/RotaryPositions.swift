import Foundation
import Synchronization
import Torch

/// Rotary position embedding, half-split: (a, b) -> (a cos - b sin, b cos + a sin), angle = position / 10000^(2 i /
/// width).
struct RotaryPositions: Sendable {
    /// [length, width / 2].
    let cosine, sine: Tensor

    init(length: Int, width: Int, device: Device) throws {
        // Single precision, as in the released code: near position 1000 the angles differ visibly from exact ones.
        let rates = Self.rates(width: width)
        let angles = (0..<length).flatMap { position in rates.map { Float(position) * $0 } }
        let shape = [length, width / 2]
        cosine = try Tensor(angles.map { Float(cos(Double($0))) }, shape: shape, device: device)
        sine = try Tensor(angles.map { Float(sin(Double($0))) }, shape: shape, device: device)
    }

    private init(cosine: Tensor, sine: Tensor) {
        self.cosine = cosine
        self.sine = sine
    }

    /// The tables of the first `length` positions; nil if there are fewer.
    func first(_ length: Int) throws -> RotaryPositions? {
        let held = try cosine.shape[0]
        guard length < held else { return length == held ? self : nil }
        return RotaryPositions(
            cosine: try cosine.narrowed(0, from: 0, length: length), sine: try sine.narrowed(0, from: 0, length: length)
        )
    }

    /// The released buffer `rotary_emb.inv_freq`; [width / 2].
    static func rates(width: Int) -> [Float] {
        stride(from: 0, to: width, by: 2).map { 1 / pow(Float(10000), Float($0) / Float(width)) }
    }

    /// Rotates queries and keys.
    ///
    /// - Parameter x: [B, L, 2, heads, width].
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let half = try x.shape[4] / 2
        let a = try x.narrowed(4, from: 0, length: half)  // [B, L, 2, h, w / 2]
        let b = try x.narrowed(4, from: half, length: half)  // [B, L, 2, h, w / 2]
        // [L, 1, 1, width / 2]
        let (c, s) = (try cosine.unsqueezed(1).unsqueezed(1), try sine.unsqueezed(1).unsqueezed(1))
        return try Tensor.concatenated([a * c - b * s, b * c + a * s], dimension: 4)  // [B, L, 2, h, w]
    }
}

/// Tables of rotary positions, created on first use and cached.
///
/// Their length is that of the text, rounded up to a power of two, whatever length a configuration claims.
final class RotaryTables: Sendable {
    private let width: Int
    private let device: Device
    private let held = Mutex<RotaryPositions?>(nil)

    init(width: Int, device: Device) {
        self.width = width
        self.device = device
    }

    /// The tables of the first `length` positions.
    func callAsFunction(_ length: Int) throws -> RotaryPositions {
        try held.withLock { held in
            if let found = try held?.first(length) { return found }
            var rounded = 1
            while rounded < length { rounded *= 2 }
            let made = try RotaryPositions(length: rounded, width: width, device: device)
            held = made
            return try made.first(length) ?? made
        }
    }
}
