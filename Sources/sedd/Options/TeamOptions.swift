import ArgumentParser
import Files
import Foundation
import SEDD

/// Time limits for commands that a launcher has started in several processes.
struct TeamOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "With several processes: time limit for another to respond, after which all exit with code 75.",
            valueName: "seconds"))
    var timeout = 60.0
    @Option(
        help: ArgumentHelp("With several processes: time limit for all to start.", valueName: "seconds"))
    var startTimeout = 300.0

    func validate() throws {
        for (name, value) in [("timeout", timeout), ("start-timeout", startTimeout)] where !(1...86400).contains(value)
        {
            throw ValidationError("--\(name) is \(value); expected 1 to 86400 seconds")
        }
    }

    /// Runs `body` as a member of the launcher's job, or alone.
    func run(_ body: (Team) async throws -> Void) async throws {
        let team = try join()
        do {
            try await body(team)
            try team.leave()
        } catch {
            abandon(team, error)
            throw error
        }
    }

    private func join() throws -> Team {
        guard let launch = try Launch(ProcessInfo.processInfo.environment) else { return .alone }
        Failure.rank = (launch.rank, launch.size)
        var limits = Team.Limits()
        limits.exchange = .seconds(timeout)
        limits.start = .seconds(startTimeout)
        return try Team(launch, limits: limits) { line in Failure.exit(SEDDError(.temporary, line)) }
    }

    private func abandon(_ team: Team, _ error: any Error) {
        guard team.size > 1, let (code, line) = Failure.describe(error) else { return }
        let isDiverged = (error as? any ClassifiedError)?.failure == .diverged
        team.end(line, isAgreed: code == .interrupted || isDiverged)
    }
}

extension Team {
    /// Runs `body` in process 0, then in one process of each other machine, then in the others, which find the files
    /// that those have created.
    func inTurns<Result>(_ what: String, _ body: () async throws -> Result) async throws -> Result {
        guard let launch else { return try await body() }
        let turn = launch.rank == 0 ? 0 : launch.localRank == 0 ? 1 : 2
        for _ in 0..<turn { try meet(what) }
        let result = try await body()
        for _ in turn..<2 { try meet(what) }
        return result
    }
}
