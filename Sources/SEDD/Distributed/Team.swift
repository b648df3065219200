import Files
public import Foundation
import Synchronization
public import Torch

/// The processes of a job, including this one: collective operations and barriers.
///
/// Every process must call the same methods in the same order; in ``alone`` they return at once. An operation that fails or
/// exceeds its time limit throws ``SEDDError`` of kind `temporary`, whose message names the rank, the step, the operation and the
/// ranks that are silent. If the engine itself does not return, the process exits with that message.
public final class Team: Sendable {
    /// A single process.
    public static let alone = Team()

    /// Time limits for waiting for other processes.
    public struct Limits: Sendable {
        /// For a collective operation, and between signs of life of a process that others wait for.
        public var exchange = Duration.seconds(60)
        /// For all processes to start.
        public var start = Duration.seconds(300)
        /// For work of one process while others wait, such as building a cache or saving.
        public var work = Duration.seconds(6 * 3600)

        /// The default limits.
        public init() {}
    }

    /// The connections to the other processes.
    struct Link: Sendable {
        let store: KeyStore
        let group: ProcessGroup
        let watch: Watch
        let pulse: Pulse
    }

    /// The place of this process; nil if it works alone.
    public let launch: Launch?
    let limits: Limits
    let link: Link?
    private let place = Mutex((step: Int?.none, meetings: 0))

    /// Number of this process, from 0.
    public var rank: Int { launch?.rank ?? 0 }
    /// Number of processes.
    public var size: Int { launch?.size ?? 1 }
    /// Whether operations go through the process group; also true for one process that a launcher has given an address.
    public var isJoined: Bool { link != nil }
    /// Whether this is the process that writes.
    public var isFirst: Bool { rank == 0 }

    private init() { (launch, limits, link) = (nil, Limits(), nil) }

    /// Joins the job that `launch` describes; returns once all processes have joined.
    ///
    /// - Parameter abandon: exits with a message if an operation does not return.
    /// - Throws: ``SEDDError`` of kind `temporary` that names the missing ranks; `usage` if this build has no c10d.
    public init(
        _ launch: Launch, limits: Limits = Limits(),
        environment: [String: String] = ProcessInfo.processInfo.environment,
        abandon: @escaping @Sendable (String) -> Never
    ) throws {
        guard KeyStore.isAvailable else {
            throw SEDDError(
                .usage,
                "one of \(launch.size) processes (\(launch.launcher.rawValue)), but this build's libtorch lacks c10d; build with one that has it, or start one process"
            )
        }
        self.launch = launch
        self.limits = limits
        link = try Self.join(launch, limits, environment, abandon)
    }

    /// Records the current step for error messages.
    public func note(step: Int?) { place.withLock { $0.step = step } }

    /// Number of the next barrier, the same in every process.
    func nextMeeting() -> Int {
        place.withLock {
            $0.meetings += 1
            return $0.meetings
        }
    }

    /// `rank 1 of 4, step 17`.
    var name: String {
        "rank \(rank) of \(size)" + (place.withLock { $0.step }.map { ", step \($0)" } ?? "")
    }

    /// This process's share of `count` items: a range that consists of whole groups.
    ///
    /// - Parameter unit: size of a group; the last one may be smaller.
    public func share(of count: Int, unit: Int = 1) -> Range<Int> {
        Self.share(of: count, rank: rank, size: size, unit: unit)
    }

    static func share(of count: Int, rank: Int, size: Int, unit: Int) -> Range<Int> {
        let groups = (count + unit - 1) / unit
        let (start, end) = (groups * rank / size * unit, groups * (rank + 1) / size * unit)
        return min(start, count)..<min(end, count)
    }

    // MARK: Exchanges

    /// Runs a collective operation under the time limit.
    func exchange<Result>(
        _ what: String, _ body: (Link) throws -> Result
    ) throws -> Result? {
        guard let link else { return nil }
        do {
            return try link.watch.during(
                limits.exchange, "\(name): \(what): no answer within \(limits.exchange.text)",
                exchange: "\(name): \(what)"
            ) { try body(link) }
        } catch let error as TorchError where error.kind == .peer {
            throw failure(what, error.description)
        }
    }

    /// Replaces the elements of `tensor` with their sums over all processes; every process gets identical bytes.
    public func sum(_ tensor: Tensor, _ what: String) throws {
        _ = try exchange(what) { try $0.group.startSum(tensor).finish() }
    }

    /// Sums over all processes. A value that is 0 in all processes but one is copied exactly.
    public func sum(_ values: [Double], _ what: String) throws -> [Double] {
        guard link != nil, !values.isEmpty else { return values }
        let tensor = try Tensor(values)
        try sum(tensor, what)
        return try tensor.array()
    }

    /// All `count` values, of which this process contributes its `share`.
    public func gathered(_ own: [Double], share: Range<Int>, of count: Int, _ what: String) throws -> [Double] {
        var all = [Double](repeating: 0, count: count)
        all.replaceSubrange(share, with: own)
        return try sum(all, what)
    }

    /// Whether `flag` is true in any process.
    public func agree(_ flag: Bool, _ what: String) throws -> Bool {
        try sum([flag ? 1 : 0], what)[0] > 0
    }

    /// Replaces the elements of `tensor` with those of process `from`.
    public func broadcast(_ tensor: Tensor, from: Int = 0, _ what: String) throws {
        _ = try exchange(what) { try $0.group.startBroadcast(tensor, from: from).finish() }
    }

    /// The bytes of process 0.
    public func broadcast(_ bytes: [UInt8], _ what: String) throws -> [UInt8] {
        guard link != nil else { return bytes }
        let count = Int(try sum([isFirst ? Double(bytes.count) : 0], what)[0])
        guard count > 0 else { return [] }
        let tensor = try Tensor(isFirst ? bytes : [UInt8](repeating: 0, count: count))
        try broadcast(tensor, what)
        return try tensor.array()
    }

    /// The value of process 0; those of the others are not evaluated.
    public func broadcast<Value: Codable>(_ value: @autoclosure () throws -> Value, _ what: String) throws -> Value {
        guard link != nil else { return try value() }
        let bytes = isFirst ? try JSON.encode([value()]) : []
        let values = try JSON.decode([Value].self, from: broadcast(bytes, what), source: what)
        guard let first = values.first else { throw SEDDError(.invalidData, "\(what): process 0 sent nothing") }
        return first
    }

    /// The bytes of each process, by rank.
    public func gathered(_ bytes: [UInt8], _ what: String) throws -> [[UInt8]] {
        guard link != nil else { return [bytes] }
        let counts = try gathered([Double(bytes.count)], share: rank..<rank + 1, of: size, what).map { Int($0) }
        let longest = max(1, counts.max() ?? 1)
        let whole = try Tensor([UInt8](repeating: 0, count: longest * size))
        let part = try Tensor(bytes + [UInt8](repeating: 0, count: longest - bytes.count))
        _ = try exchange(what) { try $0.group.startGather(part, into: whole).finish() }
        let all = try whole.array(UInt8.self)
        return counts.indices.map { Array(all[$0 * longest..<$0 * longest + counts[$0]]) }
    }
}

extension Duration {
    /// `60 s`.
    var text: String { "\(Int((self / .seconds(1)).rounded())) s" }
}
