import ArgumentParser
import Files
import Foundation
import SEDD
import Text

/// How texts are sampled. Settings declared by a method are flags too; they are found among the arguments unknown to
/// the parser, so that a new setting needs no line here.
struct SamplingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Steps of the time grid before the final denoising (default: 128).", valueName: "S"))
    var steps: Int?
    @Option(
        help: ArgumentHelp(
            "\(SamplingMethods.names.joined(separator: ", ")); default: \(SamplingMethods.names[0]).",
            valueName: "name"))
    var sampler: String?
    @Option(
        help: ArgumentHelp(
            "Times of the steps: \(TimeGrid.Kind.names.joined(separator: ", ")), or a file with a JSON array of times decreasing from 1.",
            valueName: "name|file"))
    var grid: String?
    @Option(help: ArgumentHelp("Divisor of the log-probabilities of tokens.", valueName: "x"))
    var temperature: Double?
    @Option(help: ArgumentHelp("Keep only the k most probable tokens.", valueName: "k")) var topK: Int?
    @Option(help: ArgumentHelp("Keep the most probable tokens up to this total probability (nucleus).", valueName: "p"))
    var topP: Double?
    @Argument(parsing: .allUnrecognized, help: .hidden) var own: [String] = []

    /// The flags declared by methods, for a command's help.
    static let help: String = {
        let flags = SamplingMethods.settings.map { setting in
            let owners = SamplingMethods.all.filter { $0.settings.contains(setting) }.map(\.name)
            return
                "  --\(setting.name): \(setting.help) (\(owners.joined(separator: ", ")); \(setting.expected), default \(setting.standard))"
        }
        let methods = SamplingMethods.all.map { "  \($0.name): \($0.summary)" }
        return (["Samplers:"] + methods + ["Sampler settings:"] + flags).joined(separator: "\n")
    }()

    func validate() throws {
        _ = try ownSettings()
        if let steps, !(1...Limits.count).contains(steps) {
            throw ValidationError("--steps is \(steps); expected 1 to \(Limits.count)")
        }
    }

    /// The sampling settings for a diffusion model.
    ///
    /// - Throws: ``SEDDError`` for an invalid value or an invalid grid file.
    func settings() throws -> SamplingSettings {
        var settings = SamplingSettings(
            method: sampler ?? SamplingMethods.names[0], steps: steps ?? SamplingSettings().steps, filter: filter,
            own: try ownSettings())
        if let grid {
            if TimeGrid.Kind.names.contains(grid) {
                settings.grid = try TimeGrid.Kind(named: grid)
            } else {
                let times = try Self.times(grid)
                let steps = (times.last == 0 ? times.count - 1 : times.count) - 1
                guard self.steps == nil || self.steps == steps else {
                    throw SEDDError(.usage, "\(grid): has \(steps) steps, but --steps is \(self.steps ?? 0)")
                }
                (settings.grid, settings.steps) = (.times(times), max(1, steps))
            }
        }
        try settings.validate()
        if steps != nil || grid != nil, try !SamplingMethods.named(settings.method).usesGrid {
            Console.note(
                "\(settings.method) decides by itself when to evaluate the network; --steps and --grid are ignored")
        }
        return settings
    }

    var filter: TokenFilter { TokenFilter(temperature: temperature ?? 1, topK: topK, topP: topP) }

    /// Whether any option was given that only diffusion models have.
    var saysDiffusion: Bool { sampler != nil || steps != nil || grid != nil || !own.isEmpty }

    private static func times(_ path: String) throws -> [Double] {
        let times: [Double]
        do throws(FileError) {
            times = try JSON.decode(contentsOf: FileSystem.url(path), limit: 1 << 26)
        } catch {
            let expected =
                error.kind == .missingInput
                ? "\(TimeGrid.Kind.names.joined(separator: ", ")) or a file with a JSON array of times"
                : "a JSON array of times that decrease from 1"
            throw SEDDError(error.kind, "\(path): \(error.problem); expected \(expected)")
        }
        guard !times.isEmpty else {
            throw SEDDError(.invalidData, "\(path): expected a JSON array of times that decrease from 1")
        }
        return times
    }

    /// The declared settings among the arguments unknown to the parser; `--name value` or `--name=value`.
    private func ownSettings() throws -> [String: SettingValue] {
        var found: [String: SettingValue] = [:]
        var rest = own[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else { throw ValidationError("unexpected argument '\(word)'") }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts.first ?? "")
            guard let setting = SamplingMethods.settings.first(where: { $0.name == name }) else {
                let near = NearestName.near(name, among: SamplingMethods.settings.map(\.name))
                throw ValidationError("unknown option '--\(name)'" + (near.map { "; did you mean --\($0)?" } ?? ""))
            }
            guard let text = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw ValidationError("--\(name) has no value; expected \(setting.expected)")
            }
            do { found[name] = try setting.value(text) } catch { throw ValidationError("--\(error.description)") }
        }
        return found
    }
}
