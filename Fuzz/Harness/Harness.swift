import Driver
package import Foundation

/// What a fuzzer calls with bytes: a reader of them that must end with a value or a typed error.
///
/// `NAME [libFuzzer's options] [folders of inputs]` runs one; crashes, leaks, time-outs and memory beyond the limit end it.
package struct Harness {
    package typealias Target = @Sendable ([UInt8], Scratch) throws -> Void

    /// A folder in memory for readers that take files.
    package struct Scratch: Sendable {
        package let folder: URL

        /// Writes `bytes` under `name`, in place of what was there.
        package func file(_ name: String, _ bytes: some Collection<UInt8>) -> URL {
            let url = folder.appending(path: name)
            let descriptor = open(url.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            precondition(descriptor >= 0, "\(url.path): \(String(cString: strerror(errno)))")
            defer { close(descriptor) }
            let whole = Array(bytes)
            precondition(write(descriptor, whole, whole.count) == whole.count)
            return url
        }
    }

    private nonisolated(unsafe) static var target: Target = { _, _ in }
    private nonisolated(unsafe) static var scratch = Scratch(folder: URL(filePath: "/"))

    /// Runs the target that the first argument names; ends the process.
    package static func run(_ targets: [String: Target]) -> Never {
        guard CommandLine.arguments.count > 1, let found = targets[CommandLine.arguments[1]] else {
            print("usage: \(CommandLine.arguments[0]) TARGET [options] [folders]")
            print("targets: \(targets.keys.sorted().joined(separator: " "))")
            exit(64)
        }
        let memory =
            FileManager.default.fileExists(atPath: "/dev/shm") ? URL(filePath: "/dev/shm") : URL(filePath: "/tmp")
        let folder = memory.appending(path: "sedd-fuzz-\(getpid())")
        do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
            print("\(folder.path): \(error)")
            exit(73)
        }
        target = found
        scratch = Scratch(folder: folder)
        // libFuzzer sees the program and what follows the target's name.
        let words = [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        var count = Int32(words.count)
        arguments.append(nil)
        let code = arguments.withUnsafeMutableBufferPointer { buffer in
            var start = buffer.baseAddress
            return LLVMFuzzerRunDriver(&count, &start) { data, size in
                let bytes = data.map { Array(UnsafeBufferPointer(start: $0, count: size)) } ?? []
                try? Harness.target(bytes, Harness.scratch)
                return 0
            }
        }
        try? FileManager.default.removeItem(at: folder)
        exit(code)
    }
}
