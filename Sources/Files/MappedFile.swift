package import Foundation

/// A read-only memory-mapped file: only the pages used are read, and processes share them.
///
/// The file must not be truncated while it is mapped; files that may be are read with ``RandomAccessFile`` instead.
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
            throw FileError(.invalidData, "empty file", source: file.path, remedy: "give a file that is not empty")
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw FileSystem.unreadable(file)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// Calls `body` with the bytes, which are valid only during the call.
    @inlinable @inline(__always)
    package func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        // The mapping ends with the object; a pointer alone does not keep it alive.
        defer { withExtendedLifetime(self) {} }
        return try body(bytes)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }
}
