import Foundation

/// A file as read-only memory: the pages that are used are the ones that are read, and processes share them.
///
/// The file must not be cut short while it is mapped, which is why token files are replaced and never rewritten.
final class MappedFile: @unchecked Sendable {  // Immutable after init.
    /// The size in bytes, never 0.
    var count: Int { bytes.count }

    private let bytes: UnsafeRawBufferPointer

    /// - Throws: `missingInput`; `invalidData` when the file is empty.
    init(_ file: URL) throws(TextError) {
        let (descriptor, information) = try FileSystem.openForReading(file)
        // The mapping outlives the descriptor.
        defer { close(descriptor) }
        let size = Int(information.st_size)
        guard size > 0 else {
            throw TextError(.invalidData, "empty file", source: file.path, remedy: "give a file with tokens")
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw FileSystem.unreadable(file)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// Calls `body` with the bytes, which are there only as long as it runs.
    @inline(__always)
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(TextError) -> Result
    ) throws(TextError) -> Result {
        // The mapping ends with the object, and a pointer alone does not keep it.
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}
