import Files
public import Foundation

/// The entropy of a position, in nats, given a random fraction of the others; measured once per model and stored beside
/// it.
///
/// J(r), where r is the known fraction, falls from the unigram entropy to the entropy given all other positions. A
/// reverse step that raises the known fraction from a to b and treats positions as independent has an error of at most
/// (b - a) J(a) - (integral of J from a to b) nats per position (path divergence; after arXiv 2510.25544, with a
/// binomial number of positions). Summed over a grid this is the left Riemann sum of J minus its integral; the grid
/// that minimizes the sum is found by dynamic programming.
public struct InformationProfile: Sendable, Codable, Equatable {
    /// J at known fractions 0, 1/(n - 1), ..., 1; nats per position, nonincreasing.
    public let nats: [Double]

    /// - Parameter measured: J at evenly spaced known fractions from 0 to 1, two or more; increases due to noise are
    ///   averaged away.
    /// - Throws: ``SEDDError`` of kind `invalidData` for fewer than two values, or values that are not finite.
    public init(_ measured: [Double]) throws(SEDDError) {
        guard measured.count >= 2, measured.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw SEDDError(
                .invalidData,
                "an information profile of \(measured.prefix(4)); expected two or more finite numbers of nats, none negative"
            )
        }
        nats = Self.falling(measured)
    }

    /// - Throws: `DecodingError` for values that ``init(_:)`` refuses.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        do { try self.init(container.decode([Double].self, forKey: .nats)) } catch let error as SEDDError {
            throw DecodingError.dataCorruptedError(forKey: .nats, in: container, debugDescription: error.description)
        }
    }

    /// The nonincreasing least-squares fit (pool adjacent violators).
    private static func falling(_ values: [Double]) -> [Double] {
        var pools: [(mean: Double, count: Int)] = []
        for value in values {
            pools.append((value, 1))
            while pools.count > 1, pools[pools.count - 2].mean < pools[pools.count - 1].mean {
                let (last, before) = (pools.removeLast(), pools.removeLast())
                let count = last.count + before.count
                pools.append(
                    ((last.mean * Double(last.count) + before.mean * Double(before.count)) / Double(count), count))
            }
        }
        return pools.flatMap { [Double](repeating: $0.mean, count: $0.count) }
    }

    /// J at a known fraction, by linear interpolation.
    public func callAsFunction(_ share: Double) -> Double {
        let place = min(max(share, 0), 1) * Double(nats.count - 1)
        let index = min(Int(place), nats.count - 2)
        return nats[index] + (place - Double(index)) * (nats[index + 1] - nats[index])
    }

    /// The error bound of a grid of known fractions 0 = r_0 <= ... <= r_N = 1; nats per position.
    public func bound(_ shares: [Double]) -> Double {
        let sum = zip(shares, shares.dropFirst()).reduce(0) { $0 + ($1.1 - $1.0) * self($1.0) }
        let inner = nats.dropFirst().dropLast().reduce(0, +) + (nats[0] + nats[nats.count - 1]) / 2
        return sum - inner / Double(nats.count - 1)
    }

    /// Segments placed individually; if more are requested, each of these is divided evenly.
    private static let most = 256

    /// The fractions 0 = r_0 <= ... <= r_N = 1 that minimize the bound, on a lattice of 4096 fractions. Two are equal
    /// only if no further fraction lowers the bound, as under a flat profile.
    public func boundaries(segments: Int) -> [Double] {
        let placed = min(segments, Self.most)
        let coarse = optimal(segments: placed)
        guard segments > placed else { return coarse }
        var made = [0.0]
        for index in 0..<placed {
            let parts = segments * (index + 1) / placed - segments * index / placed
            let (a, b) = (coarse[index], coarse[index + 1])
            made += (1...parts).map { a + (b - a) * Double($0) / Double(parts) }
        }
        return made
    }

    /// best[k][b] = min over a of best[k - 1][a] + (b - a) J(a). Because J is nonincreasing, the cost satisfies the
    /// quadrangle inequality, so the optimal a increases with b, and each layer is found by divide and conquer.
    private func optimal(segments: Int) -> [Double] {
        let cells = 4096
        let values = (0...cells).map { self(Double($0) / Double(cells)) }
        var best = (0...cells).map { Double($0) * values[0] }
        var choices: [[Int]] = []
        for _ in 1..<max(segments, 1) {
            var next = [Double](repeating: .infinity, count: cells + 1)
            var choice = [Int](repeating: 0, count: cells + 1)
            var open = [(low: 0, high: cells, first: 0, last: cells)]
            while let part = open.popLast() {
                guard part.low <= part.high else { continue }
                let b = (part.low + part.high) / 2
                for a in part.first...min(part.last, b) {
                    let cost = best[a] + Double(b - a) * values[a]
                    if cost < next[b] { (next[b], choice[b]) = (cost, a) }
                }
                open.append((part.low, b - 1, part.first, choice[b]))
                open.append((b + 1, part.high, choice[b], part.last))
            }
            best = next
            choices.append(choice)
        }
        var places = [cells]
        for choice in choices.reversed() { places.append(choice[places[places.count - 1]]) }
        return [0] + places.reversed().map { Double($0) / Double(cells) }
    }
}

// MARK: The file beside a model

extension InformationProfile {
    /// Location of the profile in a model folder.
    public static func file(in folder: URL) -> URL { folder.appending(path: "profile.json") }

    /// The profile of the model in `folder`; nil if none was measured.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` for an invalid file.
    public static func beside(model folder: URL) throws(SEDDError) -> InformationProfile? {
        let file = file(in: folder)
        guard FileSystem.exists(file) else { return nil }
        do throws(FileError) { return try JSON.decode(contentsOf: file, limit: 1 << 24) } catch {
            throw SEDDError(
                .invalidData,
                "\(file.path): not an information profile (\(error.problem)); measure it again with sedd profile")
        }
    }

    /// Writes the profile beside the model in `folder`.
    ///
    /// - Throws: `FileError` of kind `cannotWrite`.
    public func save(in folder: URL) throws {
        try OutputFile.write(JSON.encode(self), to: Self.file(in: folder))
    }
}
