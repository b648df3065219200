import Testing

@testable import SEDD

struct ScheduleTests {
    private let long = 256
    private let short = 16

    private func row(_ job: Int, _ index: Int = 0) -> Schedule.SequenceID { .init(job: job, index: index) }

    @Test func rowsOfOneLengthGoTogetherAsFarAsTheyFit() {
        var schedule = Schedule()
        for job in 0..<6 { schedule.add(row(job), length: long) }
        let turns = (0..<3).compactMap { _ in schedule.next(tokens: 1024) { _ in true }?.map(\.job) }
        #expect(turns == [[0, 1, 2, 3], [4, 5, 0, 1], [2, 3, 4, 5]], "everybody in turn")
    }

    @Test func oneRowGoesHoweverLongItIs() {
        var schedule = Schedule()
        schedule.add(row(1), length: long)
        #expect(schedule.next(tokens: 10) { _ in true } == [row(1)])
    }

    /// Eight long sequences run; a short one that arrives late takes as many turns as tokens allow.
    @Test func aShortRowIsNotHeldBack() {
        var schedule = Schedule()
        for job in 0..<8 { schedule.add(row(job), length: long) }
        for _ in 0..<50 { _ = schedule.next(tokens: 2048) { _ in true } }
        schedule.add(row(9), length: short)
        var turns = 0
        var done = 0
        while done < 16 {
            turns += 1
            if schedule.next(tokens: 2048, ready: { _ in true })?.contains(row(9)) == true { done += 1 }
        }
        #expect(turns <= 18, "sixteen steps of 16 tokens cost less than one turn of the others; found \(turns) turns")
    }

    @Test func nobodyStarves() {
        var schedule = Schedule()
        schedule.add(row(0), length: long)
        for job in 1...40 { schedule.add(row(job), length: short) }
        var turns: [Schedule.SequenceID: Int] = [:]
        for _ in 0..<2000 {
            for row in schedule.next(tokens: 256, ready: { _ in true }) ?? [] { turns[row, default: 0] += 1 }
        }
        let tokens = turns.map { $0.key.job == 0 ? $0.value * 256 : $0.value * 16 }
        #expect((tokens.max() ?? 0) - (tokens.min() ?? 0) <= 256, "equal shares to within one step")
    }

    /// A sequence that was skipped for long gets no credit when it returns, and passes none to new ones.
    @Test func waitingEarnsNoCredit() {
        var schedule = Schedule()
        schedule.add(row(0), length: short)
        schedule.add(row(1), length: long)
        for _ in 0..<100 { _ = schedule.next(tokens: 256) { $0.job != 0 } }
        schedule.add(row(2), length: short)
        var turns: [Int: Int] = [:]
        for _ in 0..<340 {
            for row in schedule.next(tokens: 256, ready: { _ in true }) ?? [] { turns[row.job, default: 0] += 1 }
        }
        let tokens = [0: 16, 1: 256, 2: 16].map { (turns[$0.key] ?? 0) * $0.value }
        #expect((tokens.max() ?? 0) - (tokens.min() ?? 0) <= 512, "\(turns)")
    }

    @Test func whoIsNotReadyIsPassedOver() {
        var schedule = Schedule()
        for job in 0..<3 { schedule.add(row(job), length: long) }
        #expect(schedule.next(tokens: 4096) { $0.job != 1 }?.map(\.job) == [0, 2])
        #expect(schedule.next(tokens: 4096) { _ in false } == nil)
        schedule.removeAll { $0.job != 1 }
        #expect(schedule.next(tokens: 4096) { _ in true }?.map(\.job) == [1])
        #expect(schedule.count == 1)
    }

    /// Shares are per job, not per sequence: a job of sixteen sequences gets as many steps as a job of one.
    @Test func aJobOfManyRowsHasOneShare() {
        var schedule = Schedule()
        for index in 0..<16 { schedule.add(row(0, index), length: long) }
        schedule.add(row(1), length: long)
        var turns: [Int: Int] = [:]
        for _ in 0..<64 {
            let rows = schedule.next(tokens: 4096) { _ in true } ?? []
            #expect(rows.contains(row(1)), "the single row goes in every evaluation")
            for row in rows { turns[row.job, default: 0] += 1 }
        }
        #expect(turns[1] == 64 && abs((turns[0] ?? 0) - 64) <= 1, "\(turns)")
    }

    /// The sequences of a job advance evenly, and whole evaluations are filled once it is alone.
    @Test func aJobThatIsAloneFillsEvaluations() {
        var schedule = Schedule()
        for index in 0..<20 { schedule.add(row(0, index), length: long) }
        var steps: [Int: Int] = [:]
        for _ in 0..<10 {
            let rows = schedule.next(tokens: 4096) { _ in true } ?? []
            #expect(rows.count == 16)
            for row in rows { steps[row.index, default: 0] += 1 }
        }
        #expect(Set(steps.values) == [8] && steps.count == 20, "\(steps)")
    }

    /// Shares are equal between jobs of different lengths and numbers of sequences, to within one evaluation.
    @Test func sharesOfMixedJobs() {
        var schedule = Schedule()
        for index in 0..<12 { schedule.add(row(0, index), length: long) }
        for index in 0..<3 { schedule.add(row(1, index), length: short) }
        schedule.add(row(2), length: long)
        for index in 0..<2 { schedule.add(row(3, index), length: index == 0 ? short : long) }
        let lengths = { (row: Schedule.SequenceID) in row.job == 1 || row.job == 3 && row.index == 0 ? 16 : 256 }
        var tokens: [Int: Int] = [:]
        for _ in 0..<4000 {
            for row in schedule.next(tokens: 4096, ready: { _ in true }) ?? [] {
                tokens[row.job, default: 0] += lengths(row)
            }
        }
        #expect(tokens.count == 4)
        #expect((tokens.values.max() ?? 0) - (tokens.values.min() ?? 0) <= 2 * 256, "\(tokens)")
    }

    /// When a sequence of a job finishes, its balance is neither debt nor credit for the others.
    @Test func removedRowsLeaveTheirJob() {
        var schedule = Schedule()
        for index in 0..<4 { schedule.add(row(0, index), length: short) }
        _ = schedule.next(tokens: 4096) { _ in true }
        schedule.removeAll { $0.index < 3 }
        #expect(schedule.count == 1)
        #expect(schedule.next(tokens: 4096) { _ in true } == [row(0, 3)])
        schedule.removeAll { _ in true }
        #expect(schedule.count == 0 && schedule.next(tokens: 4096) { _ in true } == nil)
    }
}
