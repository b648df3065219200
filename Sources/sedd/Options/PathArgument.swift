import ArgumentParser
import Files
import Foundation

/// A file or a folder as the command line names it; an empty name is refused.
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
    /// The folder that this is, or that the file of this name lies in.
    var containingFolder: URL {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        return exists && isFolder.boolValue ? self : deletingLastPathComponent()
    }
}
