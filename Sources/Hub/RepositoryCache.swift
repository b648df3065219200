import Files
import Foundation

/// One repository in the cache, laid out as `huggingface_hub` has it:
///
///     models--ORG--NAME/refs/REVISION             the commit, without a line end
///     models--ORG--NAME/blobs/ETAG                the content of files
///     models--ORG--NAME/snapshots/COMMIT/PATH     links to ../../blobs/ETAG
///     models--ORG--NAME/.no_exist/COMMIT/PATH     files that the commit does not have
///     .locks/models--ORG--NAME/ETAG.lock          held while a blob is fetched
struct RepositoryCache: Sendable {
    let root: URL
    let folder: URL
    private let name: String

    init(_ root: URL, repository: String) {
        self.root = root
        name = (["models"] + repository.split(separator: "/").map(String.init)).joined(separator: "--")
        folder = root.appending(path: name)
    }

    func blob(_ etag: String) -> URL { folder.appending(path: "blobs").appending(path: etag) }
    func snapshot(_ commit: String) -> URL { folder.appending(path: "snapshots").appending(path: commit) }
    func file(_ name: String, _ commit: String) -> URL { snapshot(commit).appending(path: name) }
    func lockFile(_ etag: String) -> URL {
        root.appending(path: ".locks").appending(path: name).appending(path: etag + ".lock")
    }

    /// Whether the file exists, including the target of its link.
    func has(_ name: String, _ commit: String) -> Bool { access(file(name, commit).path, F_OK) == 0 }

    /// Whether the hub has said that the commit has no such file.
    func isKnownAbsent(_ name: String, _ commit: String) -> Bool { access(absence(name, commit).path, F_OK) == 0 }

    /// The commit of a revision when it was last queried.
    func commit(of revision: String) -> String? {
        if SnapshotName.isCommit(revision) { return revision }
        let file = folder.appending(path: "refs").appending(path: revision)
        guard let bytes = try? FileSystem.contents(of: file, limit: 1 << 10) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return SnapshotName.isCommit(text) ? text : nil
    }

    /// Records the current commit of a revision. A failure is ignored: a read-only cache can still be read.
    func note(_ revision: String, is commit: String) {
        guard !SnapshotName.isCommit(revision), self.commit(of: revision) != commit else { return }
        try? OutputFile.write(Array(commit.utf8), to: folder.appending(path: "refs").appending(path: revision))
    }

    /// Records that the commit has no such file, so that it is not requested again.
    func noteAbsent(_ name: String, _ commit: String) {
        guard !isKnownAbsent(name, commit) else { return }
        try? OutputFile.write([], to: absence(name, commit))
    }

    private func absence(_ name: String, _ commit: String) -> URL {
        folder.appending(path: ".no_exist").appending(path: commit).appending(path: name)
    }

    /// Creates the folders for a file to be fetched, and tags the cache as such for backup programs.
    ///
    /// - Throws: `cannotWrite`.
    func prepare(_ name: String, _ commit: String) throws(FileError) {
        try FileSystem.createFolder(folder.appending(path: "blobs"))
        try FileSystem.createFolder(file(name, commit).deletingLastPathComponent())
        let tag = root.appending(path: "CACHEDIR.TAG")
        if !FileSystem.exists(tag) { try? OutputFile.write(Array(Self.tag.utf8), to: tag) }
    }

    private static let tag = """
        Signature: 8a477f597d28d172789f06886806bc55
        # This folder is a cache of files from a model hub; see https://bford.info/cachedir/

        """

    /// Places the file in the snapshot: a relative link to its blob or, if links are disabled or not supported, a copy;
    /// a new blob is moved there instead.
    ///
    /// - Throws: `cannotWrite`.
    func place(_ name: String, _ commit: String, blob etag: String, isNew: Bool, copies: Bool) throws(FileError) {
        guard !has(name, commit) else { return }
        let pointer = file(name, commit)
        unlink(pointer.path)
        let ups = Array(repeating: "..", count: name.split(separator: "/").count + 1)
        let target = (ups + ["blobs", etag]).joined(separator: "/")
        if !copies {
            if symlink(target, pointer.path) == 0 || (errno == EEXIST && has(name, commit)) { return }
            guard [EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS].contains(errno) else { throw unplaced(pointer) }
        }
        if isNew {
            guard rename(blob(etag).path, pointer.path) == 0 else { throw unplaced(pointer) }
        } else {
            do { try FileManager.default.copyItem(at: blob(etag), to: pointer) } catch { throw unplaced(pointer) }
        }
    }

    private func unplaced(_ pointer: URL) -> FileError {
        FileError(
            .cannotWrite, "cannot be linked or copied into the snapshot (\(FileSystem.reason(errno)))",
            source: pointer.path, remedy: "check the permissions of the cache, or set HF_HUB_CACHE to another folder")
    }
}
