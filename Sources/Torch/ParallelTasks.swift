import CTorch
import Synchronization

/// Independent tasks, run in parallel on libtorch's threads for CPU operators.
///
/// Matrix products inside a task use one thread; if there are several tasks, all operators do. No task waits for
/// another, so where the processor is shared with other processes, a thread that the system delays holds up one task;
/// operators on many threads wait for the slowest thread each time.
public enum ParallelTasks {
    /// Runs `body(0)` to `body(count - 1)`, each once, and returns their results in that order.
    ///
    /// - Parameter count: number of tasks; those beyond the number of threads run as threads become free.
    /// - Throws: the error of the task with the lowest number, after all tasks have ended.
    public static func map<Result: Sendable>(
        _ count: Int, _ body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
        try withoutActuallyEscaping(body) { body in
            let task = Task { index in
                let result = Swift.Result { try body(index) }
                results.withLock { $0[index] = result }
            }
            try withExtendedLifetime(task) {
                try check(
                    ct_run_tasks(
                        Int64(count), { Unmanaged<Task>.fromOpaque($1!).takeUnretainedValue().run(Int($0)) },
                        Unmanaged.passUnretained(task).toOpaque()), "run tasks")
            }
        }
        let found = results.withLock { $0 }
        return try (0..<count).map { index in
            guard let result = found[index] else { preconditionFailure("task \(index) has not run") }
            return try result.get()
        }
    }

    /// Number of tasks into which work of `units` equal parts is best divided; 1 if the operators of a single task use
    /// the threads better than several tasks would.
    ///
    /// - Parameter fits: whether that number of tasks fits into memory.
    public static func count(for units: Int, threads: Int, fits: (Int) -> Bool = { _ in true }) -> Int {
        // One, two and four threads divide the work alike; and if a thread is delayed, others take its second task.
        let several = (4 + threads - 1) / threads * threads
        return [several, threads].first { tasks in
            // Number of units that one thread evaluates.
            let time = tasks / threads * ((units + tasks - 1) / tasks)
            let isEven = time * threads * 4 <= units * 5
            return units >= tasks && isEven && fits(tasks)
        } ?? 1
    }

    /// Runs `body` on consecutive ranges that cover 0..<count, and returns their results in order: several ranges in
    /// parallel on the CPU, and a single one elsewhere.
    public static func map<Result: Sendable>(
        ranges count: Int, on device: Device, _ body: @Sendable (Range<Int>) throws -> Result
    ) throws -> [Result] {
        guard count > 0 else { return [] }
        let tasks = try device.kind == .cpu ? self.count(for: count, threads: Runtime.threads()) : 1
        guard tasks > 1 else { return [try body(0..<count)] }
        return try map(tasks) { try body(($0 * count / tasks)..<(($0 + 1) * count / tasks)) }
    }

    /// Runs `body` on the ranges of `size` elements that cover 0..<count, the last one shorter, and returns their
    /// results in order. The ranges do not depend on the machine; on the CPU they run in parallel if there are enough
    /// of them.
    public static func map<Result: Sendable>(
        pieces count: Int, of size: Int, on device: Device, _ body: @Sendable (Range<Int>) throws -> Result
    ) throws -> [Result] {
        let pieces = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
        let isParallel = try device.kind == .cpu && self.count(for: pieces.count, threads: Runtime.threads()) > 1
        return try isParallel ? map(pieces.count) { try body(pieces[$0]) } : pieces.map(body)
    }

    /// A closure passed through a C pointer.
    private final class Task: Sendable {
        let run: @Sendable (Int) -> Void

        init(_ run: @escaping @Sendable (Int) -> Void) { self.run = run }
    }
}
