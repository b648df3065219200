import Files

/// The place of this process in its job, read from the environment variables of a launcher.
///
/// torchrun, SLURM's srun and Open MPI's mpirun each set their own; RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT may also be set by
/// hand. Incomplete or contradictory variables are rejected: such processes would wait for others that never come, or each would
/// work alone.
public struct Launch: Sendable, Equatable {
    /// Who started the process.
    public enum Launcher: String, Sendable {
        /// Each value is the launcher's name in messages; `variables` stands for RANK and WORLD_SIZE set by hand.
        case torchrun, slurm = "SLURM", openMPI = "Open MPI", variables = "RANK and WORLD_SIZE"
    }

    /// Who started the process.
    public let launcher: Launcher
    /// Number of this process, from 0, over all machines.
    public let rank: Int
    /// Number of processes; 1 only if torchrun, or variables that name an address, start a single one.
    public let size: Int
    /// Number of this process on its machine, and the count of processes there.
    public let localRank, localSize: Int
    /// Address of the store through which the processes find each other.
    public let host: String
    /// Port of the store.
    public let port: UInt16
    /// Whether the launcher runs the store at that address; otherwise process 0 does.
    public let hasStore: Bool
    /// Identifies this start of the job, so that keys of an earlier start are not seen.
    public let start: String

    /// Reads the launcher's variables; nil if the process works alone.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` that names the variables found.
    public init?(_ environment: [String: String]) throws(SEDDError) {
        let variables = LaunchVariables(environment)
        let named = try Self.named(variables)
        let slurm = variables.has("OMPI_COMM_WORLD_RANK") ? nil : try Self.slurm(variables, isNamed: named != nil)
        let openMPI = try Self.openMPI(variables)
        guard let found = named ?? openMPI ?? slurm else {
            let stray = variables.found(["MASTER_ADDR", "MASTER_PORT"])
            guard
                stray.isEmpty || slurm != nil || variables.has("SLURM_JOB_ID") || variables.has("OMPI_COMM_WORLD_SIZE")
            else { throw Self.partial(stray, missing: ["RANK", "WORLD_SIZE"]) }
            return nil
        }
        // Variables set by hand must agree with the scheduler's. torchrun starts processes of its own within a task.
        if found.launcher == .variables, let other = openMPI ?? slurm,
            (other.rank, other.size) != (found.rank, found.size)
        {
            throw SEDDError(
                .usage,
                "RANK=\(found.rank) of WORLD_SIZE=\(found.size), but \(other.launcher.rawValue) says \(other.rank) of \(other.size); unset one of them"
            )
        }
        // A single process with an address goes through the same steps as several.
        guard found.size > 1 || !found.host.isEmpty else { return nil }
        self = found
    }

    init(
        _ launcher: Launcher, rank: Int, size: Int, localRank: Int, localSize: Int, host: String, port: UInt16,
        hasStore: Bool = false, start: String
    ) throws(SEDDError) {
        guard size >= 1, rank >= 0, rank < size, localRank >= 0, localSize >= 1 else {
            throw SEDDError(
                .usage,
                "\(launcher.rawValue): rank \(rank) of \(size) (\(localRank) of \(localSize) on this machine); expected ranks from 0 to \(max(0, size - 1))"
            )
        }
        self.launcher = launcher
        (self.rank, self.size, self.localRank, self.localSize) = (rank, size, localRank, localSize)
        (self.host, self.port, self.hasStore, self.start) = (host, port, hasStore, start)
    }

    /// RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT: set by torchrun, or by hand.
    private static func named(_ variables: LaunchVariables) throws(SEDDError) -> Launch? {
        let names = ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"]
        guard let rank = try variables.number("RANK"), let size = try variables.number("WORLD_SIZE") else {
            let found = variables.found(["RANK", "WORLD_SIZE"])
            guard found.isEmpty else { throw partial(found, missing: names.filter { !variables.has($0) }) }
            return nil
        }
        let isElastic = variables.has("TORCHELASTIC_RUN_ID")
        guard size > 1 || variables.has("MASTER_ADDR") else {
            return try Launch(
                .variables, rank: rank, size: size, localRank: 0, localSize: 1, host: "", port: 1, start: "")
        }
        guard let host = variables["MASTER_ADDR"], let port = try variables.port("MASTER_PORT") else {
            throw partial(variables.found(names), missing: names.filter { !variables.has($0) })
        }
        let isHere = ["localhost", "127.0.0.1", "::1"].contains(host)
        return try Launch(
            isElastic ? .torchrun : .variables, rank: rank, size: size,
            localRank: variables.number("LOCAL_RANK") ?? (isHere ? rank : 0),
            localSize: variables.number("LOCAL_WORLD_SIZE") ?? (isHere ? size : 1), host: host, port: port,
            hasStore: variables["TORCHELASTIC_USE_AGENT_STORE"]?.lowercased() == "true",
            start: "\(variables["TORCHELASTIC_RUN_ID"] ?? "")/\(variables["TORCHELASTIC_RESTART_COUNT"] ?? "0")")
    }

    /// A task of srun.
    private static func slurm(_ variables: LaunchVariables, isNamed: Bool) throws(SEDDError) -> Launch? {
        guard let job = variables["SLURM_JOB_ID"] else { return nil }
        let ofStep = try variables.number("SLURM_STEP_NUM_TASKS")
        let ofJob = try variables.number("SLURM_NTASKS")
        let tasks = ofStep ?? ofJob ?? 1
        guard let step = variables["SLURM_STEP_ID"] else {
            guard tasks > 1, !isNamed else { return nil }
            throw SEDDError(
                .usage,
                "SLURM_JOB_ID=\(job) and SLURM_NTASKS=\(tasks), but no SLURM_STEP_ID: this process was not started by srun; start it with srun, or unset SLURM_NTASKS to work alone"
            )
        }
        guard tasks > 1 else { return nil }
        guard let rank = try variables.number("SLURM_PROCID") else {
            throw partial(variables.found(["SLURM_STEP_ID", "SLURM_NTASKS"]), missing: ["SLURM_PROCID"])
        }
        let local = try variables.number("SLURM_LOCALID") ?? 0
        let perNode = LaunchVariables.expanded(
            counts: variables["SLURM_STEP_TASKS_PER_NODE"] ?? variables["SLURM_TASKS_PER_NODE"] ?? "")
        let node = try variables.number("SLURM_NODEID") ?? 0
        let localSize = perNode.indices.contains(node) ? perNode[node] : 1
        let nodes = variables["SLURM_STEP_NODELIST"] ?? variables["SLURM_JOB_NODELIST"] ?? ""
        guard
            let host = variables["MASTER_ADDR"]
                ?? (localSize == tasks ? "127.0.0.1" : LaunchVariables.firstHost(of: nodes))
        else {
            throw SEDDError(
                .usage, "SLURM_STEP_NODELIST is '\(nodes)', which names no machine; set MASTER_ADDR to that of task 0")
        }
        return try Launch(
            .slurm, rank: rank, size: tasks, localRank: local, localSize: localSize, host: host,
            port: try variables.port("MASTER_PORT") ?? LaunchVariables.port(from: "\(job).\(step)"),
            start: "\(job).\(step)/\(variables["SLURM_RESTART_COUNT"] ?? "0")")
    }

    /// A process of mpirun.
    private static func openMPI(_ variables: LaunchVariables) throws(SEDDError) -> Launch? {
        let names = ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"]
        guard let rank = try variables.number(names[0]), let size = try variables.number(names[1]) else {
            let found = variables.found(names)
            guard found.isEmpty else { throw partial(found, missing: names.filter { !variables.has($0) }) }
            return nil
        }
        guard size > 1 else { return nil }
        let localSize = try variables.number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? 1
        let job = variables["PMIX_NAMESPACE"]
        guard let host = variables["MASTER_ADDR"] ?? (localSize == size ? "127.0.0.1" : nil),
            let port = try variables.port("MASTER_PORT") ?? job.map(LaunchVariables.port)
        else {
            throw SEDDError(
                .usage,
                "Open MPI started \(size) processes, \(localSize) of them here, and does not say where they meet; give mpirun -x MASTER_ADDR=HOST -x MASTER_PORT=PORT, HOST being that of rank 0"
            )
        }
        return try Launch(
            .openMPI, rank: rank, size: size, localRank: variables.number("OMPI_COMM_WORLD_LOCAL_RANK") ?? 0,
            localSize: localSize, host: host, port: port, start: job ?? "")
    }

    private static func partial(_ found: [String], missing: [String]) -> SEDDError {
        SEDDError(
            .usage,
            "\(found.joined(separator: ", ")) set, but not \(missing.joined(separator: ", ")); processes that work together need all of them: set them, or unset what is there to work alone"
        )
    }
}
