import ArgumentParser
import Files
import Foundation

/// A file or folder named on the command line; an empty name is refused.
struct PathArgument: ExpressibleByArgument, Sendable {
    /// As it was written, for messages.
    let text: String
    let url: URL

    init?(argument: String) {
        guard !argument.isEmpty, !argument.utf8.contains(0) else { return nil }
        text = argument
        url = FileSystem.url(argument)
    }
}

extension URL {
    /// This folder, or the folder that contains this file.
    var containingFolder: URL { FileSystem.isFolder(self) ? self : deletingLastPathComponent() }
}
