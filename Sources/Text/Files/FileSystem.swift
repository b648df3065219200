import Foundation

/// The few system calls that more than one file of this room makes, with typed errors.
enum FileSystem {
    /// Opens a regular file.
    /// - Throws: `missingInput`, saying whether it is absent, unreadable or no regular file.
    static func openForReading(_ file: URL) throws(TextError) -> (descriptor: Int32, information: stat) {
        // O_NONBLOCK: a named pipe that nobody writes must not stop the open before it is seen to be no file.
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw TextError(.missingInput, "no such file", source: file.path, remedy: "check the path")
            }
            throw unreadable(file)
        }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw TextError(.missingInput, "not a regular file", source: file.path, remedy: "name a file")
        }
        return (descriptor, information)
    }

    /// A whole file in memory.
    /// - Throws: `missingInput`.
    static func contents(of file: URL) throws(TextError) -> [UInt8] {
        let (descriptor, information) = try openForReading(file)
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Int(information.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(file) }
            if count == 0 { break }
            filled += count
        }
        bytes.removeSubrange(filled...)
        return bytes
    }

    static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

    /// - Throws: `cannotWrite`.
    static func createFolder(_ folder: URL) throws(TextError) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw TextError(
                .cannotWrite, "cannot create the folder", source: folder.path,
                remedy: "check that its parent exists and may be written")
        }
    }

    /// What `errno` says of a read that failed.
    static func unreadable(_ file: URL) -> TextError {
        TextError(
            .missingInput, "cannot be read (\(reason(errno)))", source: file.path, remedy: "check its permissions")
    }

    static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}

extension stat {
    /// When the file last changed, in nanoseconds since 1970.
    var modificationNanoseconds: Int {
        #if canImport(Darwin)
            let time = st_mtimespec
        #else
            let time = st_mtim
        #endif
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}
