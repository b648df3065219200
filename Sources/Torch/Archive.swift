import CTorch
public import Foundation

/// The zip container that PyTorch writes its files into: one pickle, and one raw record a storage.
///
/// The container is read and written by libtorch's own code; the pickle inside is someone else's business.
public final class ArchiveReader {
    private let handle: CTArchiveReader
    private let path: String

    /// Opens the archive at `url` and reads its directory.
    ///
    /// - Throws: ``TorchError`` of kind `missingFile` or `invalidFile`.
    public init(contentsOf url: URL) throws(TorchError) {
        path = url.path
        guard FileManager.default.fileExists(atPath: path) else {
            throw TorchError(.missingFile, "\(path): no such file; expected a PyTorch checkpoint")
        }
        // Before version 1.6, PyTorch wrote bare pickles.
        if let file = FileHandle(forReadingAtPath: path), let start = try? file.read(upToCount: 2),
            start == Data([0x80, 2])
        {
            throw TorchError(
                .invalidFile, "\(path): a file of PyTorch before 1.6; load it there and save it again with torch.save")
        }
        var out = CTArchiveReader()
        guard ct_archive_open(path, &out) == CT_OK else {
            throw TorchError(
                .invalidFile,
                "\(path): the file is no PyTorch zip archive, or is truncated; save it again with torch.save")
        }
        handle = out
    }

    deinit { ct_archive_close(handle) }

    /// Whether there is a record called `name`.
    public func has(_ name: String) -> Bool {
        var present = false
        return ct_archive_has(handle, name, &present) == CT_OK && present
    }

    /// The bytes of the record called `name`.
    ///
    /// - Throws: ``TorchError`` of kind `invalidFile` where it is absent or damaged.
    public func record(_ name: String) throws(TorchError) -> [UInt8] {
        var size = 0
        guard has(name), ct_archive_size(handle, name, &size) == CT_OK, size <= fileSize
        else {
            throw TorchError(.invalidFile, "\(path): the record '\(name)' is absent or damaged; save the file again")
        }
        var bytes = [UInt8](repeating: 0, count: size)
        guard ct_archive_read(handle, name, &bytes, size) == CT_OK else {
            throw TorchError(.invalidFile, "\(path): the record '\(name)' cannot be read; save the file again")
        }
        return bytes
    }

    /// Records are stored, not compressed: none is longer than the file.
    private var fileSize: Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }
}

/// Writes an archive that `torch.load` reads.
public final class ArchiveWriter {
    private let handle: CTArchiveWriter
    private let path: String

    /// - Throws: ``TorchError`` of kind `cannotWrite`.
    public init(_ url: URL) throws(TorchError) {
        path = url.path
        var out = CTArchiveWriter()
        guard ct_archive_create(path, &out) == CT_OK else {
            throw TorchError(.cannotWrite, "\(path): cannot write; choose another place")
        }
        handle = out
    }

    deinit { ct_archive_discard(handle) }

    /// Adds a record.
    public func add(_ name: String, _ bytes: [UInt8]) throws(TorchError) {
        guard ct_archive_write(handle, name, bytes, bytes.count) == CT_OK else {
            throw TorchError(.cannotWrite, "\(path): cannot write; free space or choose another place")
        }
    }

    /// Writes the directory that makes the file whole.
    public func finish() throws(TorchError) {
        guard ct_archive_finish(handle) == CT_OK else {
            throw TorchError(.cannotWrite, "\(path): cannot write; free space or choose another place")
        }
    }
}
