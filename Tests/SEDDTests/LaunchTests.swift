import Files
import Testing

@testable import SEDD

/// Variables of launchers, and the rank of a process that follows from them.
@Suite struct LaunchTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let environment: [String: String]
        var testDescription: String { name }
    }

    /// Environments of processes that work together.
    static let launched: [(Case, Launch.Launcher, rank: Int, size: Int, local: Int, localSize: Int, at: String)] = [
        (
            Case(
                name: "torchrun",
                environment: [
                    "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "node-a",
                    "MASTER_PORT": "29400", "TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_RESTART_COUNT": "2",
                    "TORCHELASTIC_USE_AGENT_STORE": "True",
                ]), .torchrun, 3, 4, 1, 2, "node-a:29400 launcher none/2"
        ),
        (
            Case(
                name: "torchrun of one",
                environment: [
                    "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "h", "MASTER_PORT": "1",
                    "TORCHELASTIC_RUN_ID": "x",
                ]), .torchrun, 0, 1, 0, 1, "h:1 process x/0"
        ),
        (
            Case(
                name: "torchrun within a SLURM task of each machine",
                environment: [
                    "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "a",
                    "MASTER_PORT": "1", "TORCHELASTIC_RUN_ID": "7", "SLURM_JOB_ID": "9", "SLURM_STEP_ID": "0",
                    "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1",
                ]), .torchrun, 5, 8, 1, 4, "a:1 process 7/0"
        ),
        (
            Case(
                name: "by hand, on one machine",
                environment: [
                    "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "5000",
                ]), .variables, 1, 2, 1, 2, "localhost:5000 process /0"
        ),
        (
            Case(
                name: "by hand from SLURM's own numbers",
                environment: [
                    "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "5000", "SLURM_JOB_ID": "9",
                    "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1",
                ]), .variables, 1, 2, 0, 1, "h:5000 process /0"
        ),
        (
            Case(
                name: "srun on two machines",
                environment: [
                    "SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "6", "SLURM_NTASKS": "8",
                    "SLURM_PROCID": "4", "SLURM_LOCALID": "1", "SLURM_NODEID": "1",
                    "SLURM_STEP_TASKS_PER_NODE": "3(x2)", "SLURM_STEP_NODELIST": "gpu-[07-08],gpu-12",
                    "SLURM_RESTART_COUNT": "1", "MASTER_PORT": "6000",
                ]), .slurm, 4, 6, 1, 3, "gpu-07:6000 process 4711.0/1"
        ),
        (
            Case(
                name: "srun on one machine",
                environment: [
                    "SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0", "SLURM_NTASKS": "2", "SLURM_PROCID": "0",
                    "SLURM_LOCALID": "0", "SLURM_TASKS_PER_NODE": "2", "SLURM_JOB_NODELIST": "n1",
                ]), .slurm, 0, 2, 0, 2, "127.0.0.1:\(LaunchVariables.port(from: "4711.0")) process 4711.0/0"
        ),
        (
            Case(
                name: "srun of SLURM 22.05, three tasks and one",
                environment: [
                    "SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_STEPID": "0", "SLURM_NTASKS": "4",
                    "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "3", "SLURM_LOCALID": "0", "SLURM_NODEID": "1",
                    "SLURM_TASKS_PER_NODE": "3,1", "SLURM_STEP_TASKS_PER_NODE": "3,1",
                    "SLURM_JOB_NODELIST": "trial[1-2]", "SLURM_STEP_NODELIST": "trial[1-2]",
                ]), .slurm, 3, 4, 0, 1, "trial1:\(LaunchVariables.port(from: "1.0")) process 1.0/0"
        ),
        (
            Case(
                name: "mpirun of Open MPI 4.1 on two machines",
                environment: [
                    "OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "0",
                    "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "OMPI_COMM_WORLD_NODE_RANK": "0", "PMIX_NAMESPACE": "2772303873",
                    "PMIX_RANK": "2", "MASTER_ADDR": "trial1", "MASTER_PORT": "29400",
                ]), .openMPI, 2, 4, 0, 2, "trial1:29400 process 2772303873"
        ),
        (
            Case(
                name: "mpirun on one machine",
                environment: [
                    "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_RANK": "1",
                    "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "PMIX_NAMESPACE": "prterun-h-12@1",
                ]), .openMPI, 1, 2, 1, 2,
            "127.0.0.1:\(LaunchVariables.port(from: "prterun-h-12@1")) process prterun-h-12@1"
        ),
        (
            Case(
                name: "mpirun within a SLURM allocation",
                environment: [
                    "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "1",
                    "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "7", "SLURM_JOB_ID": "9",
                    "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1",
                ]), .openMPI, 3, 4, 1, 2, "h:7 process "
        ),
    ]

    @Test(arguments: launched)
    func launchersAreRead(
        _ one: Case, launcher: Launch.Launcher, rank: Int, size: Int, local: Int, localSize: Int, at: String
    ) throws {
        let launch = try #require(try Launch(one.environment), "\(one.name)")
        #expect(launch.launcher == launcher, "\(one.name)")
        #expect((launch.rank, launch.size) == (rank, size), "\(one.name)")
        #expect((launch.localRank, launch.localSize) == (local, localSize), "\(one.name)")
        let place = "\(launch.host):\(launch.port) \(launch.hasStore ? "launcher" : "process") \(launch.start)"
        #expect(place == at, "\(one.name)")
    }

    /// Environments in which a process works alone.
    static let alone: [Case] = [
        Case(name: "nothing", environment: ["HOME": "/"]),
        Case(name: "empty variables", environment: ["RANK": "", "WORLD_SIZE": ""]),
        Case(name: "a job of one", environment: ["RANK": "0", "WORLD_SIZE": "1"]),
        Case(name: "an allocation of one task", environment: ["SLURM_JOB_ID": "1", "SLURM_NTASKS": "1"]),
        Case(
            name: "a step of one task in a job of eight",
            environment: [
                "SLURM_JOB_ID": "1", "SLURM_NTASKS": "8", "SLURM_STEP_ID": "2", "SLURM_STEP_NUM_TASKS": "1",
                "SLURM_PROCID": "0",
            ]),
        Case(
            name: "mpirun of one", environment: ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"]),
    ]

    @Test(arguments: alone) func aloneIsAlone(_ one: Case) throws {
        #expect(try Launch(one.environment) == nil, "\(one.name)")
    }

    /// Environments that are refused, with words of the message.
    static let refused: [(Case, [String])] = [
        (Case(name: "rank without size", environment: ["RANK": "0"]), ["RANK=0", "WORLD_SIZE"]),
        (
            Case(name: "no meeting place", environment: ["RANK": "0", "WORLD_SIZE": "2"]),
            ["RANK=0", "WORLD_SIZE=2", "MASTER_ADDR", "MASTER_PORT"]
        ),
        (
            Case(name: "a meeting place alone", environment: ["MASTER_ADDR": "h", "MASTER_PORT": "1"]),
            ["MASTER_ADDR=h", "RANK", "WORLD_SIZE"]
        ),
        (
            Case(
                name: "a rank past the end",
                environment: ["RANK": "2", "WORLD_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "1"]),
            ["rank 2 of 2"]
        ),
        (
            Case(
                name: "a rank that is not a number",
                environment: ["RANK": "-1", "WORLD_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "1"]),
            ["RANK", "'-1'"]
        ),
        (
            Case(
                name: "a port out of range",
                environment: ["RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "70000"]),
            ["MASTER_PORT", "'70000'"]
        ),
        (
            Case(name: "SLURM without srun", environment: ["SLURM_JOB_ID": "4711", "SLURM_NTASKS": "4"]),
            ["SLURM_NTASKS=4", "srun"]
        ),
        (
            Case(
                name: "a person and SLURM disagree",
                environment: [
                    "RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "h", "MASTER_PORT": "1", "SLURM_JOB_ID": "9",
                    "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "3", "SLURM_STEP_NODELIST": "a",
                ]), ["RANK=0", "SLURM", "3 of 4"]
        ),
        (
            Case(name: "half of Open MPI", environment: ["OMPI_COMM_WORLD_RANK": "1"]),
            ["OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE"]
        ),
        (
            Case(
                name: "mpirun on two machines without a meeting place",
                environment: [
                    "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
                ]), ["MASTER_ADDR", "mpirun -x"]
        ),
    ]

    @Test(arguments: refused) func halvesAreRefused(_ one: Case, words: [String]) {
        let error = #expect(throws: SEDDError.self, "\(one.name)") { try Launch(one.environment) }
        #expect(error?.kind == .usage, "\(one.name)")
        for word in words {
            #expect(error?.description.contains(word) == true, "\(one.name): \(error?.description ?? "")")
        }
    }

    @Test(
        arguments: [
            ("n1", "n1"), ("n1,n2", "n1"), ("gpu[01-04,07],login", "gpu01"), ("a-[3,5]", "a-3"),
            ("r[1-2]n[05-06]", "r1n05"),
            ("gpu-a-1.site,x", "gpu-a-1.site"), ("", nil), ("n[1", nil),
        ] as [(String, String?)])
    func nodeLists(_ list: String, first: String?) { #expect(LaunchVariables.firstHost(of: list) == first) }

    @Test(
        arguments: [
            ("2(x3),1", [2, 2, 2, 1]), ("4", [4]), ("", []), ("x", []), ("2(x-1)", []), ("1(x999999999)", []),
        ] as [(String, [Int])])
    func taskCounts(_ counts: String, expanded: [Int]) { #expect(LaunchVariables.expanded(counts: counts) == expanded) }

    /// Every sequence belongs to one process, and pairs are not separated.
    @Test func sharesCoverEverything() {
        for (count, size, unit) in [(16, 4, 1), (16, 3, 2), (5, 4, 2), (64, 5, 8), (7, 7, 1), (3, 4, 1), (9, 2, 4)] {
            let shares = (0..<size).map { Team.share(of: count, rank: $0, size: size, unit: unit) }
            #expect(shares.flatMap { Array($0) } == Array(0..<count), "\(count) over \(size) by \(unit)")
            #expect(shares.allSatisfy { $0.isEmpty || $0.lowerBound % unit == 0 }, "\(count) over \(size) by \(unit)")
        }
    }
}
