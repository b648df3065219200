import Files
import Foundation

/// The location of this program and of its bundled files: `PREFIX/share/sedd` beside `PREFIX/bin`, or the checkout that
/// contains the build.
enum Installation {
    /// The program's file, with links resolved; nil if the system does not report it.
    static let executable: URL? = {
        #if os(Linux)
            let named = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return named.map { URL(filePath: $0) }
        #else
            return Bundle.main.executableURL?.resolvingSymlinksInPath()
        #endif
    }()

    /// The folder of bundled models.
    static let models: URL? = models(beside: executable)

    static func models(beside executable: URL?) -> URL? {
        guard let folder = executable?.deletingLastPathComponent() else { return nil }
        let installed = folder.deletingLastPathComponent().appending(path: "share/sedd/models")
        if FileSystem.isFolder(installed) { return installed }
        // .build/ARCHITECTURE/release/sedd
        var place = folder
        for _ in 0..<4 {
            place = place.deletingLastPathComponent()
            let models = place.appending(path: "Models")
            if FileSystem.exists(place.appending(path: "Package.swift")), FileSystem.isFolder(models) {
                return models
            }
        }
        return nil
    }

    /// Names and folders of the bundled models.
    static var bundled: [(name: String, folder: URL)] {
        guard let models, let names = try? FileManager.default.contentsOfDirectory(atPath: models.path) else {
            return []
        }
        return names.sorted().map { ($0, models.appending(path: $0)) }.filter { _, folder in
            FileManager.default.fileExists(atPath: folder.appending(path: "config.json").path)
        }
    }
}
