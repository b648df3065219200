import ArgumentParser
import Files
import Foundation
import Presets
import SEDD

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "List the keys of a training configuration, or show a preset.",
        discussion: """
            Presets: \(Presets.names.joined(separator: ", ")).

            Examples:
              sedd config --list
              sedd config --show tiny-cpu > my.yaml
              sedd config --show tiny-cpu --resolved
            """)

    @Flag(help: "List every key with its type, its default and a description.") var list = false
    @Option(help: ArgumentHelp("Print a preset or a configuration file.", valueName: "preset|file")) var show: String?
    @Flag(help: "With --show: include keys that keep their default.") var resolved = false
    @Flag(help: "With --list: print one JSON array.") var json = false

    func validate() throws {
        guard list != (show != nil) else { throw ValidationError("expected one of --list and --show") }
        guard !resolved || show != nil else { throw ValidationError("--resolved requires --show") }
        guard !json || list else { throw ValidationError("--json requires --list") }
    }

    func run() throws {
        if let show {
            guard !resolved else {
                let made = try TrainingInput.resolved(show, overrides: [])
                try StandardOutput.write(Array(ConfigurationFile.yaml(made).utf8))
                return
            }
            try StandardOutput.write(Array(TrainingInput.yaml(show).utf8))
            return
        }
        let keys = try ConfigurationReference.keys()
        guard !json else {
            try StandardOutput.line(String(decoding: JSON.encode(keys, pretty: true), as: UTF8.self))
            return
        }
        for key in keys {
            try StandardOutput.line("\(key.key): \(key.default)")
            try StandardOutput.line("    \(key.type). \(key.summary.prefix(1).uppercased() + key.summary.dropFirst()).")
        }
    }
}
