import Files
import Foundation

/// The time grid of samplers with steps: 1 = t_0 > ... > t_S > 0; the final denoising starts at t_S. The only place
/// that knows the formulas.
public struct TimeGrid: Sendable, Equatable {
    /// Placement of the times.
    public enum Kind: Sendable, Hashable {
        /// Equidistant.
        case linear
        /// The displaced fraction is cos(pi k / 2 S) of the initial one: few positions settle at first (MaskGIT's
        /// schedule).
        case cosine
        /// Optimal for the measured information profile of the model; see ``InformationProfile``.
        case profile
        /// Explicit times, decreasing from 1.
        case times([Double])

        /// The named kinds, each with one line on what it does.
        public static let declared: [(name: String, summary: String)] = [
            ("linear", "Equidistant times: about as many positions settle in each step"),
            ("cosine", "Few positions settle in the first steps, more in the later ones"),
            ("profile", "The times with the least error by this model's measured information profile"),
        ]

        /// The names of the named kinds.
        public static var names: [String] { declared.map(\.name) }

        /// - Throws: ``SEDDError`` of kind `usage` that lists the known names.
        public init(named name: String) throws(SEDDError) {
            switch name {
            case "linear": self = .linear
            case "cosine": self = .cosine
            case "profile": self = .profile
            default:
                throw SEDDError(
                    .usage,
                    "grid '\(name.prefix(100))' is unknown; expected \(Self.names.joined(separator: ", ")) or times")
            }
        }

        /// Its name, or `times` for explicit times.
        public var name: String {
            switch self {
            case .linear: "linear"
            case .cosine: "cosine"
            case .profile: "profile"
            case .times: "times"
            }
        }
    }

    /// t_0 to t_S.
    public let times: [Double]
    /// S, the number of steps.
    public var steps: Int { times.count - 1 }

    /// - Parameter steps: S; explicit times determine their own number.
    /// - Throws: ``SEDDError`` of kind `usage` for times that do not decrease from 1, or if no profile was measured.
    public init(_ kind: Kind, steps: Int, process: DiffusionProcess) throws(SEDDError) {
        let smallest = DiffusionProcess.smallestTime
        guard steps >= 1 else { throw SEDDError(.usage, "steps is \(steps); expected 1 or more") }
        let first = process.displaced(1)
        switch kind {
        case .linear: times = (0...steps).map { 1 - (1 - smallest) * Double($0) / Double(steps) }
        case .cosine:
            times = Self.falling(
                (0...steps).map { process.time(displaced: first * cos(.pi / 2 * Double($0) / Double(steps))) })
        case .profile:
            guard let profile = process.profile else {
                throw SEDDError(
                    .usage,
                    "the grid 'profile' requires the model's information profile, which was not measured; run sedd profile first"
                )
            }
            // Denoising is a step of its own: it starts at the last boundary.
            let shares = profile.boundaries(segments: steps + 1)
            times = Self.falling(shares.dropLast().map { process.time(displaced: first * (1 - $0)) })
        case .times(let given): times = try Self.checked(given)
        }
    }

    /// Starts at 1, does not increase, and does not fall below the smallest time.
    private static func falling(_ times: [Double]) -> [Double] {
        var last = Double.infinity
        return times.enumerated().map { index, time in
            last = index == 0 ? 1 : max(DiffusionProcess.smallestTime, min(time, last))
            return last
        }
    }

    private static func checked(_ given: [Double]) throws(SEDDError) -> [Double] {
        // A last time of 0 is the denoising, which follows in any case.
        let times = given.last == 0 ? given.dropLast() : given[...]
        guard times.count >= 2, times.first == 1, zip(times, times.dropFirst()).allSatisfy({ $0 > $1 }),
            (times.last ?? 0) > 0
        else {
            throw SEDDError(
                .usage,
                "the grid's times are \(given.prefix(5).map { "\($0)" }.joined(separator: ", "))\(given.count > 5 ? ", ..." : ""); expected two or more that fall from 1 and stay above 0"
            )
        }
        return Array(times)
    }
}

extension TimeGrid.Kind: Codable {
    /// Reads the name of a grid, or an array of times.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let times = try? container.decode([Double].self) {
            self = .times(times)
            return
        }
        do { try self.init(named: container.decode(String.self)) } catch let error as SEDDError {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    /// Writes the array of times, or the name of the grid.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if case .times(let times) = self { try container.encode(times) } else { try container.encode(name) }
    }
}
