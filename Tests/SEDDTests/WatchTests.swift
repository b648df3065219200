import Testing

@testable import SEDD

/// When an operation that does not return is given up.
@Suite struct WatchTests {
    /// What is said so many seconds after the beginning, without a failure elsewhere and with one.
    static let cases: [(seconds: Double, isExchange: Bool, alone: String?, afterFailure: String?)] = [
        (1, true, nil, nil),
        (50, true, nil, "rank 1 of 4: sum: given up after a failure (rank 2: gone)" + Team.advice),
        (50, false, nil, nil),
        (70, true, "late", "late"),
        (70, false, "late", "late"),
    ]

    @Test(arguments: cases)
    func limits(seconds: Double, isExchange: Bool, alone: String?, afterFailure: String?) {
        let watch = Watch { line in fatalError(line) }
        defer { watch.stop() }
        #expect(watch.late(at: .now + .seconds(1000)) == nil)
        watch.during(.seconds(60), "late", exchange: isExchange ? "rank 1 of 4: sum" : nil) {
            let then = ContinuousClock.now + .seconds(seconds)
            #expect(watch.late(at: then) == alone)
            watch.hear("rank 2: gone")
            watch.hear("rank 3: gone")
            #expect(watch.late(at: then) == afterFailure)
        }
    }

    /// A failure that is already known leaves a new exchange the time to fail by itself.
    @Test func knownFailure() {
        let watch = Watch { line in fatalError(line) }
        defer { watch.stop() }
        watch.hear("rank 2: gone")
        watch.during(.seconds(60), "late", exchange: "sum") {
            let begin = ContinuousClock.now
            #expect(watch.late(at: begin + Watch.grace - .milliseconds(500)) == nil)
            #expect(watch.late(at: begin + Watch.grace + .milliseconds(500)) != nil)
        }
        #expect(watch.failure == "rank 2: gone")
    }
}
