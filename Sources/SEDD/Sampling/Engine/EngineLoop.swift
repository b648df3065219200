/// State of the engine's thread: the jobs in progress and their schedule.
struct EngineLoop {
    private struct Running {
        var sequences: [Trajectory]
        /// One for each sequence.
        var records: [WritingRecord]
        let submitted: ContinuousClock.Instant
        let job: Job
        let stream: JobStream
    }

    private let evaluator: any Evaluator
    private let limits: EngineLimits
    private let observer: any EngineObserver
    private var running: [Int: Running] = [:]
    private var schedule = Schedule()
    private var nextNumber = 0

    init(evaluator: any Evaluator, limits: EngineLimits, observer: any EngineObserver) {
        self.evaluator = evaluator
        self.limits = limits
        self.observer = observer
    }

    var isEmpty: Bool { running.isEmpty }

    mutating func take(_ submissions: [SamplingEngine.Submission]) {
        for submission in submissions {
            let (job, stream) = (submission.job, submission.stream)
            let records = job.sequences.map { _ in WritingRecord(submitted: submission.time) }
            running[nextNumber] = Running(
                sequences: job.sequences, records: records, submitted: submission.time, job: job, stream: stream)
            for (index, sequence) in job.sequences.enumerated() {
                schedule.add(.init(job: nextNumber, index: index), length: sequence.states.count)
            }
            nextNumber += 1
        }
        observer.running(schedule.count)
    }

    /// Ends jobs whose reader has gone or whose deadline has passed.
    ///
    /// - Parameter stop: the latest time at which any job ends.
    /// - Returns: the number of their unfinished sequences.
    mutating func dropEnded(stop: ContinuousClock.Instant?) -> Int {
        let now = ContinuousClock.now
        var dropped = 0
        for (number, job) in running {
            let error: any Error
            if job.stream.isCancelled {
                error = CancellationError()
            } else if now >= job.job.deadline {
                error = SamplingEngine.Refusal.deadline
            } else if let stop, now >= stop {
                error = SamplingEngine.Refusal.stopping
            } else {
                continue
            }
            dropped += drop(number, error)
        }
        return dropped
    }

    /// - Returns: the number of unfinished sequences.
    private mutating func drop(_ number: Int, _ error: any Error) -> Int {
        guard let job = running.removeValue(forKey: number) else { return 0 }
        schedule.removeAll { $0.job == number }
        job.stream.finish(.failure(error))
        observer.ended(with: error)
        observer.running(schedule.count)
        return job.sequences.count { !$0.isFinished }
    }

    /// Runs one network evaluation for the sequences scheduled next.
    ///
    /// - Returns: whether there was anything to do, and how many sequences finished.
    mutating func step() -> (hasWorked: Bool, finished: Int) {
        let turn = schedule.next(tokens: limits.evaluationTokens) { [running] row in
            running[row.job]?.stream.hasRoom ?? false
        }
        guard let turn else { return (false, 0) }
        var states = turn.compactMap { running[$0.job]?.sequences[$0.index] }
        let start = ContinuousClock.now
        var finished = 0
        do {
            try evaluator.advance(&states)
            for (row, state) in zip(turn, states) { finished += settle(row, state) }
        } catch {
            finished = stepApart(turn, error)
        }
        observer.evaluated(sequences: states.count, in: .now - start)
        if finished > 0 { observer.running(schedule.count) }
        return (true, finished)
    }

    /// Repeats a failed shared evaluation one sequence at a time, so that only jobs whose own sequences fail end with
    /// an error.
    ///
    /// - Returns: how many sequences finished.
    private mutating func stepApart(_ rows: [Schedule.SequenceID], _ error: any Error) -> Int {
        guard rows.count > 1 else { return rows.reduce(0) { $0 + drop($1.job, error) } }
        var finished = 0
        for row in rows {
            guard let state = running[row.job]?.sequences[row.index] else { continue }
            var states = [state]
            do {
                try evaluator.advance(&states)
                finished += settle(row, states[0])
            } catch { finished += drop(row.job, error) }
        }
        return finished
    }

    private mutating func settle(_ row: Schedule.SequenceID, _ state: Trajectory) -> Int {
        running[row.job]?.sequences[row.index] = state
        note(row, state)
        guard let job = running[row.job] else { return 0 }
        if job.job.everyStep || state.isFinished { job.stream.send(.step(index: row.index, state)) }
        guard state.isFinished else { return 0 }
        schedule.removeAll { $0 == row }
        observer.finished(state, revised: job.records[row.index].revised)
        if job.sequences.allSatisfy(\.isFinished) {
            running[row.job] = nil
            job.stream.finish()
        }
        return 1
    }

    /// Reports the step's duration to the observer, and the first settled token.
    private mutating func note(_ row: Schedule.SequenceID, _ state: Trajectory) {
        guard var record = running[row.job]?.records[row.index], let submitted = running[row.job]?.submitted else {
            return
        }
        let had = record.hasSettled
        observer.advanced(after: record.note(state.changes, mask: state.graph.mask))
        if record.hasSettled, !had { observer.settledFirst(after: record.last - submitted) }
        running[row.job]?.records[row.index] = record
    }
}
