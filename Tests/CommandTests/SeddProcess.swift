import Foundation
import Testing

/// Runs the built `sedd` as a user does.
final class SeddProcess {
    /// The result of a finished process.
    struct Result {
        /// The exit code, or 128 + the signal that ended the process, as shells count.
        let code: Int32
        let output: Data
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
        var lines: [String] { text.split(separator: "\n").map(String.init) }
        /// The last line on stderr: the error.
        var lastError: String { errors.split(separator: "\n").last.map(String.init) ?? "" }
    }

    private let process = Process()
    private let folder: TemporaryFolder
    private let deadline: ContinuousClock.Instant

    /// Starts `sedd` with `arguments`; only PATH is passed on from the environment.
    ///
    /// - Parameters:
    ///   - shell: a shell command to run instead, in which `"$@"` is sedd and its arguments.
    ///   - limit: after this time the process is killed, and ``wait()`` throws.
    init(
        _ arguments: [String], stdin: Data = Data(), environment: [String: String] = [:], shell: String? = nil,
        limit: Duration = .seconds(600)
    ) throws {
        let executable = try #require(Self.executable, "no built 'sedd' beside the tests")
        folder = try TemporaryFolder()
        deadline = .now + limit
        if let shell {
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", shell, "sh", executable.path] + arguments
        } else {
            process.executableURL = executable
            process.arguments = arguments
        }
        process.environment = [
            "PATH": "/usr/bin:/bin", "HOME": folder.url.path, "XDG_CACHE_HOME": folder.url.path,
            // No test reaches the network, even by mistake.
            "HF_HUB_OFFLINE": "1",
            // One thread each: tests run concurrently, and sums have a fixed order.
            "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
            // A crash shows in the exit code; printing a backtrace takes seconds.
            "SWIFT_BACKTRACE": "enable=no",
        ].merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: folder.file("stdin", stdin))
        process.standardOutput = try FileHandle(forWritingTo: folder.file("stdout", Data()))
        process.standardError = try FileHandle(forWritingTo: folder.file("stderr", Data()))
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Runs to the end.
    static func run(
        _ arguments: [String], stdin: String = "", environment: [String: String] = [:], shell: String? = nil
    ) async throws -> Result {
        try await SeddProcess(arguments, stdin: Data(stdin.utf8), environment: environment, shell: shell).wait()
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// The output to stderr so far.
    var errorsSoFar: String {
        (try? String(contentsOf: folder.url.appendingPathComponent("stderr"), encoding: .utf8)) ?? ""
    }

    /// Waits until `condition` holds; throws when the process ends or the limit passes before.
    func wait(until condition: () throws -> Bool, _ what: Comment) async throws {
        while try !condition() {
            try #require(process.isRunning && ContinuousClock.now < deadline, "\(what); stderr: \(errorsSoFar)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits for the end.
    func wait() async throws -> Result {
        while process.isRunning {
            if ContinuousClock.now > deadline {
                kill(process.processIdentifier, SIGKILL)
                Issue.record("sedd \(process.arguments ?? []) took too long; stderr: \(errorsSoFar)")
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let status = process.terminationStatus
        return Result(
            code: process.terminationReason == .exit ? status : 128 + status,
            output: try Data(contentsOf: folder.url.appendingPathComponent("stdout")), errors: errorsSoFar)
    }

    private final class Marker {}

    /// `sedd` in the folder of build products: that of the test bundle, which is the test binary itself on Linux.
    private static let executable: URL? = {
        let named = ProcessInfo.processInfo.environment["SEDD_EXECUTABLE"].map { URL(fileURLWithPath: $0) }
        if let named { return named }
        let places =
            [Bundle(for: Marker.self).bundleURL, Bundle.main.bundleURL]
            + CommandLine.arguments
            .filter { $0.contains(".xctest") }.map { URL(fileURLWithPath: $0) }
        for place in places {
            var folder = place.resolvingSymlinksInPath()
            for _ in 0..<6 {
                let candidate = folder.appendingPathComponent("sedd")
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isFolder), !isFolder.boolValue,
                    FileManager.default.isExecutableFile(atPath: candidate.path)
                {
                    return candidate
                }
                folder.deleteLastPathComponent()
            }
        }
        return nil
    }()
}

/// Expects `code`, nothing on stdout, and one line on stderr that starts with `sedd: ` and contains each of `words`.
///
/// - Parameter progress: whether progress lines may precede it.
func expectFailure(
    _ result: SeddProcess.Result, _ code: Int32, _ words: [String], _ what: String,
    progress: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(result.code == code, "\(what): \(result.errors)", sourceLocation: sourceLocation)
    let count = result.errors.split(separator: "\n", omittingEmptySubsequences: false).count
    #expect(progress || count == 2, "\(what): one line: \(result.errors)", sourceLocation: sourceLocation)
    #expect(result.errors.hasSuffix("\n"), "\(what): \(result.errors)", sourceLocation: sourceLocation)
    #expect(result.lastError.hasPrefix("sedd: "), "\(what): \(result.errors)", sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, "\(what): \(result.text)", sourceLocation: sourceLocation)
    for word in words where !result.lastError.contains(word) {
        Issue.record("\(what): expected '\(word)' in '\(result.lastError)'", sourceLocation: sourceLocation)
    }
}
