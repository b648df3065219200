import Testing

@testable import SEDD

struct ScheduleTests {
    private let long = Schedule.Kind(length: 256, sampler: "analytic")
    private let short = Schedule.Kind(length: 16, sampler: "analytic")

    private func row(_ job: Int, _ index: Int = 0) -> Schedule.Row { .init(job: job, index: index) }

    @Test func rowsOfOneKindGoTogetherAsFarAsTheyFit() {
        var schedule = Schedule()
        for job in 0..<6 { schedule.add(row(job), long) }
        let turns = (0..<3).compactMap { _ in schedule.next(tokens: 1024) { _ in true }?.rows.map(\.job) }
        #expect(turns == [[0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5]], "everybody in turn")
    }

    @Test func oneRowGoesHoweverLongItIs() {
        var schedule = Schedule()
        schedule.add(row(1), long)
        #expect(schedule.next(tokens: 10) { _ in true }?.rows == [row(1)])
    }

    /// Eight long rows run; a short one arrives late and takes a turn as often as they pay as many tokens.
    @Test func aShortRowIsNotHeldBack() {
        var schedule = Schedule()
        for job in 0..<8 { schedule.add(row(job), long) }
        for _ in 0..<50 { _ = schedule.next(tokens: 2048) { _ in true } }
        schedule.add(row(9), short)
        var turns = 0
        var done = 0
        while done < 16 {
            turns += 1
            if schedule.next(tokens: 2048, ready: { _ in true })?.rows.contains(row(9)) == true { done += 1 }
        }
        #expect(turns <= 18, "sixteen steps of 16 tokens cost less than one turn of the others; found \(turns) turns")
    }

    @Test func nobodyStarves() {
        var schedule = Schedule()
        schedule.add(row(0), long)
        for job in 1...40 { schedule.add(row(job), short) }
        var turns: [Schedule.Row: Int] = [:]
        for _ in 0..<2000 {
            for row in schedule.next(tokens: 256, ready: { _ in true })?.rows ?? [] { turns[row, default: 0] += 1 }
        }
        let tokens = turns.map { $0.key.job == 0 ? $0.value * 256 : $0.value * 16 }
        #expect((tokens.max() ?? 0) - (tokens.min() ?? 0) <= 256, "equal shares to within one step")
    }

    /// A row that was passed over for long has no credit when it comes back, and lends none to newcomers.
    @Test func waitingEarnsNoCredit() {
        var schedule = Schedule()
        schedule.add(row(0), short)
        schedule.add(row(1), long)
        for _ in 0..<100 { _ = schedule.next(tokens: 256) { $0.job != 0 } }
        schedule.add(row(2), short)
        var turns: [Int: Int] = [:]
        for _ in 0..<340 {
            for row in schedule.next(tokens: 256, ready: { _ in true })?.rows ?? [] { turns[row.job, default: 0] += 1 }
        }
        let tokens = [0: 16, 1: 256, 2: 16].map { (turns[$0.key] ?? 0) * $0.value }
        #expect((tokens.max() ?? 0) - (tokens.min() ?? 0) <= 512, "\(turns)")
    }

    @Test func whoIsNotReadyIsPassedOver() {
        var schedule = Schedule()
        for job in 0..<3 { schedule.add(row(job), long) }
        #expect(schedule.next(tokens: 4096) { $0.job != 1 }?.rows.map(\.job) == [0, 2])
        #expect(schedule.next(tokens: 4096) { _ in false }?.rows == nil)
        schedule.removeAll { $0.job != 1 }
        #expect(schedule.next(tokens: 4096) { _ in true }?.rows.map(\.job) == [1])
        #expect(schedule.count == 1)
    }
}
