import ArgumentParser
import Files
import Foundation
import Hub
import SEDD

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List the available models: bundled ones, those in the hub's cache, and runs.",
        discussion: """
            The first column is the argument for --model. Runs are searched for in the current folder, in its folder runs, and in \
            the given folders.

            Examples:
              sedd models
              sedd models /data/runs --json
            """)

    @Argument(help: ArgumentHelp("Folders with further runs.", valueName: "folder")) var folders: [PathArgument] = []
    @Flag(help: "Print one JSON object per model.") var json = false

    func run() async throws {
        let listing = try await ModelListing(runFolders: folders.map(\.text))
        for line in try json ? listing.entries.map({ try JSON.text($0) }) : listing.lines {
            try StandardOutput.line(line)
        }
    }
}
