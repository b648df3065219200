import Files
import Foundation
import Hub
import Synchronization
import Text

/// Access to the hub for commands: configured by the environment, with notes and progress on stderr.
enum HubAccess {
    static func hub() throws(FileError) -> Hub {
        var settings = try HubSettings(environment: ProcessInfo.processInfo.environment)
        settings.agent = "sedd/\(Version.number)"
        let display = DownloadDisplay()
        return Hub(settings, note: { Console.note($0) }, progress: { display.show($0) })
    }

    /// The tokenizer that a specification names. `hf:ORG/NAME` refers to the hub if there is no such path.
    static func tokenizer(_ text: String) async throws -> any Tokenizer {
        guard case .hf(let path) = try TokenizerSpecification(text), !FileSystem.exists(FileSystem.url(path)),
            let model = try? HubModel(path)
        else { return try TokenizerSpecification(text).load() }
        return try Tokenizers.load(folder: try await hub().snapshot(model, .tokenizer).folder)
    }
}

/// Download progress, on stderr.
private final class DownloadDisplay: Sendable {
    private struct State {
        let console = Console()
        var file = ""
        var start = ContinuousClock.now
        var before = 0
    }

    private let state = Mutex(State())
    /// Smaller files arrive before a line about them could be read.
    private let smallest = 1 << 20

    func show(_ progress: HubProgress) {
        state.withLock { state in
            if state.file != progress.file {
                (state.file, state.start, state.before) = (progress.file, .now, progress.received)
            }
            guard let total = progress.total, total >= smallest else { return }
            let seconds = (ContinuousClock.now - state.start) / .seconds(1)
            let rate = seconds > 0.5 ? Double(progress.received - state.before) / seconds : 0
            let speed =
                rate > 0
                ? ", \(String(format: "%.1f", rate / 1_048_576)) MiB/s, \(Console.duration(Double(total - progress.received) / rate)) left"
                : ""
            state.console.progress(
                Double(progress.received) / Double(total),
                "\(progress.file): \(progress.received >> 20) of \(total >> 20) MiB\(speed)",
                always: progress.received == total)
            if progress.received == total { state.console.finish() }
        }
    }
}
