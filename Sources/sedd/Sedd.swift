import ArgumentParser
import Foundation

/// The command line: parse, validate, call the library, print.
@main
struct Sedd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sedd",
        abstract: "Score entropy discrete diffusion language models: train, sample, infill, measure.",
        discussion: """
            Examples:
              sedd train --config tiny-cpu --data story.txt --output runs/story
              sedd sample --model runs/story --template 'Once [[40]] the end.' --show
            """,
        version: Version.text,
        subcommands: [
            Train.self, ConfigCommand.self, Sample.self, Evaluate.self, Profile.self, JudgeCommand.self,
            StudyCommand.self, Tokenize.self,
            TokenizerCommand.self, Inspect.self,
            Convert.self,
            Download.self, ModelsCommand.self,
            Serve.self, Bench.self,
            Doctor.self,
        ])

    func run() throws {
        let names = Self.configuration.subcommands.map { $0._commandName }.joined(separator: ", ")
        throw ValidationError("the command is missing; expected one of \(names)")
    }

    static func main() async {
        var sources: [String] = []
        do {
            let settings = try ServeSettings(
                Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
            sources = settings.sources
            var command = try parseAsRoot(DashedValues.joined(settings.arguments))
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Failure.exit(error, settings: sources)
        }
        Failure.leave(0)
    }
}
