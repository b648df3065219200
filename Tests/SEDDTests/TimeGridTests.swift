import Files
import Foundation
import Testing

@testable import SEDD

@Suite struct TimeGridTests {
    private let process = DiffusionProcess(graph: AbsorbingGraph(tokens: 3), noise: LogLinearNoise())

    @Test func linear() throws {
        let grid = try TimeGrid(.linear, steps: 7, process: process)
        #expect(grid.steps == 7 && grid.times.first == 1)
        #expect(abs(grid.times[7] - 1e-5) < 1e-15)
        for (a, b) in zip(grid.times, grid.times.dropFirst()) { #expect(abs(a - b - (1 - 1e-5) / 7) < 1e-15) }
    }

    /// The masked fraction is a cosine for every noise schedule.
    @Test func cosine() throws {
        let geometric = try GeometricNoise(minimum: 1e-4, maximum: 20)
        for noise in [LogLinearNoise(), geometric] as [any NoiseSchedule] {
            let process = DiffusionProcess(graph: AbsorbingGraph(tokens: 3), noise: noise)
            let grid = try TimeGrid(.cosine, steps: 8, process: process)
            for step in 0..<8 {
                let wanted = process.displaced(1) * cos(.pi / 16 * Double(step))
                #expect(abs(process.displaced(grid.times[step]) - wanted) < 1e-9, "step \(step)")
            }
            #expect(grid.times.last == 1e-5)
        }
    }

    @Test func times() throws {
        #expect(try TimeGrid(.times([1, 0.5, 0.25]), steps: 99, process: process).steps == 2)
        #expect(try TimeGrid(.times([1, 0.5, 0]), steps: 1, process: process).times == [1, 0.5])
        for bad in [[], [1], [1, 0], [0.9, 0.5], [1, 0.5, 0.5], [1, .nan], [1, 0.5, -0.1], [2, 1]] as [[Double]] {
            let error = #expect(throws: SEDDError.self) { try TimeGrid(.times(bad), steps: 1, process: process) }
            #expect(error?.kind == .usage, "\(bad)")
        }
        #expect(throws: SEDDError.self) { try TimeGrid(.linear, steps: 0, process: process) }
        #expect(throws: SEDDError.self) { try TimeGrid(.profile, steps: 4, process: process) }
        #expect(throws: SEDDError.self) { try TimeGrid.Kind(named: "quadratic") }
    }

    /// Both schedules' times are recovered from their noise.
    @Test func timesOfNoise() throws {
        let geometric = try GeometricNoise(minimum: 1e-4, maximum: 20)
        struct Bare: NoiseSchedule {
            func sigma(_ t: Double) -> Double { t * t * 3 }
            func sigmaRate(_ t: Double) -> Double { 6 * t }
        }
        for noise in [LogLinearNoise(), geometric, Bare()] as [any NoiseSchedule] {
            for time in [0.001, 0.3, 0.77, 1] { #expect(abs(noise.time(sigma: noise.sigma(time)) - time) < 1e-9) }
            #expect(noise.time(sigma: noise.sigma(1) * 2) == 1 || noise.time(sigma: noise.sigma(1) * 2) > 1 - 1e-9)
        }
    }

    // MARK: The information profile

    /// J of the chain of ``GoldenLaws``, from what a position holds when 0, 1 or 2 others are known: 1.05332, 0.97164,
    /// 0.77497 nats.
    private static let chainProfile = Result {
        let nats = [1.05332, 0.97164, 0.77497]
        return try InformationProfile(
            (0...64).map { index in
                let r = Double(index) / 64
                return (1 - r) * (1 - r) * nats[0] + 2 * r * (1 - r) * nats[1] + r * r * nats[2]
            })
    }

    /// The bound of published grids on that chain, nats of three positions.
    @Test func bounds() throws {
        let profile = try Self.chainProfile.get()
        for (steps, linear, cosine) in [
            (2, "0.194", "0.238"), (4, "0.101", "0.129"), (8, "0.0513", "0.0667"), (16, "0.0259", "0.0338"),
            (32, "0.0130", "0.0170"),
        ] {
            func printed(_ like: String, _ share: (Double) -> Double) -> String {
                String(
                    format: "%.\(like.count - 2)f",
                    3 * profile.bound((0...steps).map { 1 - share(Double($0) / Double(steps)) }))
            }
            #expect(printed(linear) { 1 - $0 } == linear, "linear, \(steps)")
            #expect(printed(cosine) { cos(.pi / 2 * $0) } == cosine, "cosine, \(steps)")
        }
    }

    /// The grid computed from the profile has the lowest bound, and its law is never worse than that of equidistant
    /// steps.
    @Test func theProfileGridIsTheBest() throws {
        let profile = try Self.chainProfile.get()
        let chain = GoldenLaws.absorb
        var oracle = chain.oracle
        oracle = MethodOracle(
            process: DiffusionProcess(graph: chain.graph, noise: chain.noise, profile: profile), scores: oracle.scores)
        let free = [Int?](repeating: nil, count: 3)
        for segments in [2, 4, 8, 16] {
            let best = profile.boundaries(segments: segments)
            #expect(best.count == segments + 1 && best.first == 0 && best.last == 1)
            #expect(zip(best, best.dropFirst()).allSatisfy { $0 < $1 })
            let bound = profile.bound(best)
            let even = (0...segments).map { Double($0) / Double(segments) }
            #expect(bound <= profile.bound(even))
            for place in 1..<segments {
                for shift in [-0.01, 0.01] {
                    var moved = best
                    moved[place] += shift
                    #expect(bound <= profile.bound(moved) + 1e-7, "\(segments) segments, \(place)")
                }
            }
            let times = (0..<segments).map { 1 - Double($0) / Double(segments) }
            func divergence(_ grid: TimeGrid.Kind) throws -> Double {
                try oracle.law(SamplingSettings(steps: segments - 1, grid: grid), template: free)
                    .divergence(from: chain.law)
            }
            let (found, linear) = (try divergence(.profile), try divergence(.times(times)))
            print("oracle profile grid, \(segments) evaluations: KL \(found), linear \(linear)")
            #expect(found <= linear)
        }
        #expect(profile.boundaries(segments: 1000).count == 1001, "more than are placed one by one")
    }

    @Test func profilesFall() throws {
        #expect(try InformationProfile([3, 1, 2, 0.5]).nats == [3, 1.5, 1.5, 0.5])
        #expect(try InformationProfile([1, 2, 3]).nats == [2, 2, 2])
        for bad in [[], [1], [1, .nan], [1, -0.1]] as [[Double]] {
            #expect(throws: SEDDError.self) { try InformationProfile(bad) }
        }
        for bad in ["{\"nats\": []}", "{\"nats\": [1, -2]}"] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(InformationProfile.self, from: Data(bad.utf8))
            }
        }
        let folder = try TemporaryFolder()
        #expect(try InformationProfile.beside(model: folder.url) == nil)
        let profile = try InformationProfile([2, 1, 0.5])
        try profile.save(in: folder.url)
        #expect(try InformationProfile.beside(model: folder.url) == profile)
        for bad in ["{\"nats\": [1]}", "{\"nats\": [1, 1e400]}", "{}", "", String(repeating: "[", count: 100_000)] {
            try Data(bad.utf8).write(to: InformationProfile.file(in: folder.url))
            let error = #expect(throws: SEDDError.self) { try InformationProfile.beside(model: folder.url) }
            #expect(error?.kind == .invalidData, "\(bad.prefix(20))")
        }
    }
}
