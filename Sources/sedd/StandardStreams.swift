import Files
import Foundation
import SEDD

/// Results go to standard output.
enum StandardOutput {
    /// - Throws: ``SEDDError`` of kind `cannotWrite`, for instance on a full disk.
    static func write(_ bytes: [UInt8]) throws(SEDDError) {
        guard writeAll(bytes, to: STDOUT_FILENO) else {
            // A reader that has seen enough, such as head, is not an error: end as the signal would have ended the process.
            if errno == EPIPE { Failure.leave(128 + SIGPIPE) }
            throw SEDDError(
                .cannotWrite,
                "standard output: cannot write (\(FileSystem.reason(errno))); free space or redirect it")
        }
    }

    /// Writes a line that may be lost: the command continues if stdout is closed.
    static func tell(_ text: String) { _ = writeAll(Array((text + "\n").utf8), to: STDOUT_FILENO) }

    /// A line of text.
    static func line(_ text: String) throws(SEDDError) { try write(Array((text + "\n").utf8)) }
}

/// Progress and errors go to standard error. A full disk or a closed stream loses lines but does not stop the command.
enum StandardError {
    static func write(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
}

/// The input of commands without a file argument.
enum StandardInput {
    /// Maximum input size, bytes: it is held in memory.
    static let greatest = 1 << 32

    /// Reads to the end of the stream.
    ///
    /// - Throws: ``SEDDError`` of kind `missingInput` if it cannot be read, `invalidData` if it is too long.
    static func read() throws(SEDDError) -> [UInt8] {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Foundation.read(STDIN_FILENO, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw SEDDError(
                    .missingInput,
                    "standard input: cannot be read (\(FileSystem.reason(errno))); give a file or a pipe")
            }
            if count == 0 { return bytes }
            guard bytes.count + count <= greatest else {
                throw SEDDError(.invalidData, "standard input: more than \(greatest) bytes; split it")
            }
            bytes += part[..<count]
        }
    }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let count = Foundation.write(descriptor, base + done, buffer.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
