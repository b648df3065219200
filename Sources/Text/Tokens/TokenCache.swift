public import Files
public import Foundation

/// A cache of token files made from texts, under names that change with the text or the tokenizer.
public struct TokenCache: Sendable {
    /// The folder of the cache.
    public let folder: URL

    /// Creates a cache in a folder, which is created on demand.
    public init(folder: URL) { self.folder = folder }

    /// `$XDG_CACHE_HOME/sedd/tokens` or `~/.cache/sedd/tokens`; on macOS `~/Library/Caches/sedd/tokens`.
    public static var `default`: TokenCache {
        TokenCache(folder: defaultFolder(environment: ProcessInfo.processInfo.environment))
    }

    static func defaultFolder(environment: [String: String]) -> URL {
        // As a shell takes `~`; Foundation asks the user database instead.
        let own = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let home = own.map { URL(fileURLWithPath: $0) } ?? FileManager.default.homeDirectoryForCurrentUser
        #if os(macOS)
            let caches = home.appendingPathComponent("Library/Caches")
        #else
            // The specification requires relative paths to be ignored.
            let configured = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            let caches = configured.map { URL(fileURLWithPath: $0) } ?? home.appendingPathComponent(".cache")
        #endif
        return caches.appendingPathComponent("sedd/tokens")
    }

    /// The tokens of a text, from the cache if neither text nor tokenizer has changed.
    /// - Throws: like `TokenFileBuilder.build`; `invalidData` if the text changes while it is read.
    public func tokens(
        of text: URL, tokenizer: any Tokenizer, progress: (TokenFileBuilder.Progress) -> Void = { _ in }
    ) throws(TextError) -> TokenFile {
        let before = try Identity(text)
        let target = folder.appendingPathComponent(before.fileName(tokenizer))
        if let file = try? TokenFile(target), file.fingerprint == tokenizer.fingerprint,
            file.vocabularySize == tokenizer.vocabularySize
        {
            return file
        }
        do throws(FileError) { try FileSystem.createFolder(folder) } catch {
            throw TextError(
                error.kind, error.problem, source: folder.path,
                remedy: "set XDG_CACHE_HOME to a folder that may be written")
        }
        try TokenFileBuilder(tokenizer: tokenizer).build(from: text, to: target, progress: progress)
        guard try Identity(text) == before else {
            unlink(target.path)
            throw TextError(
                .invalidData, "changed while it was read", source: text.path, remedy: "try again when it is complete")
        }
        return try TokenFile(target)
    }

    /// Identifies a state of a file without reading it.
    private struct Identity: Equatable {
        let path: String
        let size: Int
        let modified: Int
        /// When the file's status last changed: unlike `modified`, it cannot be set, so that another text of the same
        /// size and date is detected.
        let changed: Int

        init(_ file: URL) throws(TextError) {
            let (descriptor, information) = try FileSystem.openForReading(file)
            close(descriptor)
            path = FileSystem.realPath(file.path)
            size = Int(information.st_size)
            modified = information.modificationNanoseconds
            changed = information.changeNanoseconds
        }

        /// The file's own name, for readability, followed by a unique suffix.
        func fileName(_ tokenizer: any Tokenizer) -> String {
            var hash = Fingerprint()
            hash.combine(path)
            hash.combine(size)
            hash.combine(modified)
            hash.combine(changed)
            // A different version of the file format is a different file.
            hash.combine(TokenFileHeader.version)
            let stem = URL(fileURLWithPath: path).lastPathComponent.unicodeScalars.prefix(40).map {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789.-_".unicodeScalars.contains($0)) ? $0 : "_"
            }
            return String(String.UnicodeScalarView(stem)) + "-\(hash.text)-\(tokenizer.cacheKey).tokens"
        }
    }
}
