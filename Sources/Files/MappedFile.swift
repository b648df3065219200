package import Foundation

/// A file as read-only memory: the pages that are used are the ones that are read, and processes share them.
///
/// The file must not be cut short while it is mapped, which is why token files are replaced and never rewritten.
package final class MappedFile: @unchecked Sendable {  // Immutable after init.
    /// The size in bytes, never 0.
    package var count: Int { bytes.count }

    @usableFromInline let bytes: UnsafeRawBufferPointer

    /// - Throws: `missingInput`; `invalidData` when the file is empty.
    package init(_ file: URL) throws(FileError) {
        let (descriptor, information) = try FileSystem.openForReading(file)
        // The mapping outlives the descriptor.
        defer { close(descriptor) }
        let size = Int(information.st_size)
        guard size > 0 else {
            throw FileError(.invalidData, "empty file", source: file.path, remedy: "give a file that holds something")
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw FileSystem.unreadable(file)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// Calls `body` with the bytes, which are there only as long as it runs.
    @inlinable @inline(__always)
    package func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        // The mapping ends with the object, and a pointer alone does not keep it.
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}
