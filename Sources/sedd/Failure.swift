import ArgumentParser
import Files
import Foundation
import SEDD
import Synchronization

/// How a command fails: one line on stderr and an exit code.
enum Failure {
    /// The codes of sysexits.h that commands use, and 130 for an interruption.
    enum Code: Int32 {
        case usage = 64, badData = 65, noInput = 66, `internal` = 70, cannotWrite = 73, temporary = 75, interrupted =
            130
    }

    /// Rank and size of the job, once known.
    static var rank: (rank: Int, size: Int)? {
        get { place.withLock { $0 } }
        set { place.withLock { $0 = newValue } }
    }

    private static let place = Mutex<(rank: Int, size: Int)?>(nil)

    /// - Parameter settings: variables and files that contributed options to the command.
    static func exit(_ error: any Error, settings: [String] = []) -> Never {
        guard let (code, line) = describe(error) else { answer(error) }
        let origin =
            code == .usage && !settings.isEmpty ? " (with settings of \(settings.joined(separator: ", ")))" : ""
        let message = named(line + origin)
        StandardError.write("sedd: \(printable(message))\n")
        tellLauncher(message)
        leave(code.rawValue)
    }

    /// Ends the process without exit handlers, which would destroy what threads that are still running use, and can
    /// wait for them for ever. Nothing is lost: all output is written at once.
    static func leave(_ code: Int32) -> Never { _exit(code) }

    /// The message, prefixed with the rank in a job.
    private static func named(_ line: String) -> String {
        guard let rank else { return line }
        let name = "rank \(rank.rank) of \(rank.size)"
        return line.hasPrefix(name) ? line : "\(name): \(line)"
    }

    /// Writes the message to the file from which torchrun reports the first failure.
    private static func tellLauncher(_ line: String) {
        guard let path = ProcessInfo.processInfo.environment["TORCHELASTIC_ERROR_FILE"], !path.isEmpty else { return }
        struct Report: Encodable {
            let message: String
            let timestamp: Int
        }
        let report = Report(message: line, timestamp: Int(Date().timeIntervalSince1970))
        // The message is on stderr already; without the file the launcher has the exit code.
        try? Data(JSON.encode(report)).write(to: URL(filePath: path))
    }

    /// Requested output other than a result: help, version, completions. It goes to stdout.
    private static func answer(_ error: any Error) -> Never {
        do { try StandardOutput.line(Sedd.fullMessage(for: error)) } catch { exit(error) }
        leave(0)
    }

    /// One line that is safe to print on a terminal, whatever a hostile file put into a name.
    static func printable(_ line: String) -> String {
        let limit = 2000
        let shown = line.unicodeScalars.prefix(limit).map { scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
        return line.unicodeScalars.count > limit ? shown + "…" : shown
    }

    /// Exit code and message of an error; nil for help and version requests.
    static func describe(_ error: any Error) -> (code: Code, line: String)? {
        switch error {
        case let error as any ClassifiedError: (code(error.failure), error.description)
        case is CancellationError: (.interrupted, "interrupted")
        case let error as EventFileError: (.cannotWrite, "\(error)")
        case let error as CocoaError: (.internal, foundationLine(error))
        default: parserFailure(error)
        }
    }

    /// An error of Foundation without the dictionary that its description prints.
    private static func foundationLine(_ error: CocoaError) -> String {
        let path = (error as NSError).userInfo[NSFilePathErrorKey] as? String
        return (path.map { "\($0): " } ?? "") + error.localizedDescription
    }

    private static func parserFailure(_ error: any Error) -> (code: Code, line: String)? {
        switch Sedd.exitCode(for: error) {
        case .success: nil
        case .validationFailure:
            (.usage, "\(Sedd.message(for: error).replacing("\n", with: " ")); see 'sedd --help'")
        default: (.internal, "\(error)")
        }
    }

    private static func code(_ failure: FailureKind) -> Code {
        switch failure {
        case .usage: .usage
        case .invalidData: .badData
        case .missingInput: .noInput
        case .cannotWrite: .cannotWrite
        case .diverged, .engine: .internal
        case .interrupted: .interrupted
        case .temporary: .temporary
        }
    }
}
