package import Foundation

/// The system calls that more than one room makes, with typed errors.
package enum FileSystem {
    /// Opens a regular file.
    /// - Throws: `missingInput`, saying whether it is absent, unreadable or not a regular file.
    package static func openForReading(_ file: URL) throws(FileError) -> (descriptor: Int32, information: stat) {
        // O_NONBLOCK: a named pipe that nobody writes must not stop the open before it is seen to be none.
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw FileError(.missingInput, "no such file", source: file.path, remedy: "check the path")
            }
            throw unreadable(file)
        }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError(.missingInput, "not a regular file", source: file.path, remedy: "name a file")
        }
        return (descriptor, information)
    }

    /// A whole file in memory; also what a pipe gives until it ends.
    ///
    /// - Parameter limit: bytes; what is longer is refused before it is read.
    /// - Throws: `missingInput`; `invalidData` where it is longer than `limit`.
    package static func contents(of file: URL, limit: Int = 1 << 32) throws(FileError) -> [UInt8] {
        // O_NONBLOCK: as above. A pipe that somebody writes is then waited for.
        let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw FileError(.missingInput, "no such file", source: file.path, remedy: "check the path")
            }
            throw unreadable(file)
        }
        defer { close(descriptor) }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw unreadable(file) }
        guard information.st_mode & S_IFMT != S_IFDIR else {
            throw FileError(.missingInput, "a folder", source: file.path, remedy: "name a file")
        }
        let tooLong = FileError(
            .invalidData, "more than \(limit) bytes", source: file.path, remedy: "name the file that is meant")
        guard information.st_size <= limit else { throw tooLong }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(information.st_size) + 1)
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(file) }
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else { throw tooLong }
            bytes += part[..<count]
        }
    }

    /// A path as a shell means it: relative to the working folder, and otherwise to the letter, since what `..` means after a link
    /// only the system knows.
    package static func url(_ path: String) -> URL {
        URL(filePath: path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path)
    }

    /// The one absolute name of what is at `path`, without links; the path itself where nothing is.
    package static func realPath(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return url(path).path }
        defer { free(real) }
        return String(cString: real)
    }

    package static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

    /// Makes a folder and those above it that are missing; each new name is durable when this returns.
    /// - Throws: `cannotWrite`.
    package static func createFolder(_ folder: URL) throws(FileError) {
        var missing: [URL] = []
        var place = URL(filePath: folder.path)
        while !exists(place), place.path != place.deletingLastPathComponent().path {
            missing.append(place)
            place = place.deletingLastPathComponent()
        }
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                .cannotWrite, "cannot create the folder", source: folder.path,
                remedy: "check that its parent exists and may be written, or choose another place")
        }
        for made in missing { sync(folder: made.deletingLastPathComponent()) }
    }

    /// Makes the names in a folder durable. Not every file system can sync a folder; the data of its files is safe then too.
    package static func sync(folder: URL) {
        let descriptor = open(folder.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// What `errno` says of a read that failed.
    package static func unreadable(_ file: URL) -> FileError {
        FileError(
            .missingInput, "cannot be read (\(reason(errno)))", source: file.path, remedy: "check its permissions")
    }

    package static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}

extension stat {
    /// When the file last changed, in nanoseconds since 1970.
    package var modificationNanoseconds: Int {
        #if canImport(Darwin)
            let time = st_mtimespec
        #else
            let time = st_mtim
        #endif
        return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}
