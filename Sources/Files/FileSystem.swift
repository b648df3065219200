package import Foundation

/// File system calls with typed errors, shared by several components.
package enum FileSystem {
    /// Opens a regular file.
    /// - Throws: `missingInput` that says whether the file is absent, unreadable or not a regular file.
    package static func openForReading(_ file: URL) throws(FileError) -> (descriptor: Int32, information: stat) {
        // O_NONBLOCK: opening a named pipe without a writer must not block before it is recognized as one.
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

    /// Reads a whole file into memory, or a pipe until it ends.
    ///
    /// - Parameter limit: maximum size in bytes; a longer file is refused before it is read. Devices, which need not end,
    ///   have a limit of 64 MiB.
    /// - Throws: `missingInput`; `invalidData` if it is longer than `limit`.
    package static func contents(of file: URL, limit: Int = 1 << 28) throws(FileError) -> [UInt8] {
        // O_NONBLOCK: as above. A pipe with a writer is then waited for.
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
        let limit = information.st_mode & S_IFMT == S_IFCHR ? min(limit, 1 << 26) : limit
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

    /// Interprets a path like a shell: relative to the working directory, otherwise unchanged, because only the system
    /// knows what `..` means after a symbolic link.
    package static func url(_ path: String) -> URL {
        URL(filePath: path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path)
    }

    /// The canonical absolute path without symbolic links; the path itself if nothing exists there.
    package static func realPath(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return url(path).path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Whether something exists at the path.
    package static func exists(_ file: URL) -> Bool { FileManager.default.fileExists(atPath: file.path) }

    /// Whether a folder, or a link to one, is at the URL.
    package static func isFolder(_ place: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Creates a folder and its missing parents; each new name is durable on return.
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
            guard isFolder(place) else {
                throw FileError(
                    .cannotWrite, "cannot create the folder, because \(place.path) is a file", source: folder.path,
                    remedy: "choose another place, or move the file away")
            }
            throw FileError(
                .cannotWrite, "cannot create the folder", source: folder.path,
                remedy: "check that its parent exists and may be written, or choose another place")
        }
        for made in missing { sync(folder: made.deletingLastPathComponent()) }
    }

    /// Makes the names in a folder durable. File systems that cannot sync folders keep the data of their files safe in
    /// any case.
    package static func sync(folder: URL) {
        let descriptor = open(folder.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// The error for a read that failed with `errno`.
    package static func unreadable(_ file: URL) -> FileError {
        FileError(
            .missingInput, "cannot be read (\(reason(errno)))", source: file.path, remedy: "check its permissions")
    }

    /// The system's message for an error number, in lower case.
    package static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}

extension stat {
    /// When the file last changed, in nanoseconds since 1970.
    package var modificationNanoseconds: Int {
        #if canImport(Darwin)
            Self.nanoseconds(st_mtimespec)
        #else
            Self.nanoseconds(st_mtim)
        #endif
    }

    /// When the file's status (content, owner, links) last changed, in nanoseconds since 1970.
    package var changeNanoseconds: Int {
        #if canImport(Darwin)
            Self.nanoseconds(st_ctimespec)
        #else
            Self.nanoseconds(st_ctim)
        #endif
    }

    private static func nanoseconds(_ time: timespec) -> Int {
        Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
    }
}
