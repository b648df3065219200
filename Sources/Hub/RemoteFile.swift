import Files
import Foundation

/// The hub's metadata of one file at one commit.
struct RemoteFile: Sendable, Equatable {
    let commit: String
    /// The blob's name in the cache: for most files its checksum.
    let etag: String
    let size: Int
    /// Location of its content: on the hub, or at a signed address of a storage host.
    let location: URL

    /// - Parameters:
    ///   - answer: the response to a HEAD request for the file.
    ///   - url: the address that sent the response.
    /// - Throws: `invalidData` if the response is not a hub's.
    init(_ answer: HubAnswer, from url: URL) throws(FileError) {
        guard let commit = answer["X-Repo-Commit"], SnapshotName.isCommit(commit) else {
            throw Self.notHub(url, "without a commit in X-Repo-Commit")
        }
        guard let etag = Self.normalized(answer["X-Linked-Etag"] ?? answer["ETag"]) else {
            throw Self.notHub(url, "without an ETag that can name a file")
        }
        // On a redirect the length is that of the redirect.
        guard
            let size = (answer["X-Linked-Size"] ?? (answer.isRedirect ? nil : answer["Content-Length"])).flatMap({
                Int($0)
            }),
            size >= 0
        else { throw Self.notHub(url, "without the file's size") }
        self.commit = commit
        self.etag = etag
        self.size = size
        guard answer.isRedirect, let named = answer["Location"] else {
            location = url
            return
        }
        guard let target = URL(string: named, relativeTo: url)?.absoluteURL else {
            throw Self.notHub(url, "with a Location that is not a URL")
        }
        location = target
    }

    /// An ETag without its weakness prefix and quotes; nil if it is not a valid file name.
    static func normalized(_ etag: String?) -> String? {
        guard var text = etag.map({ Substring($0) }) else { return nil }
        if text.hasPrefix("W/") { text = text.dropFirst(2) }
        if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        let isName =
            !text.isEmpty && text.utf8.count <= 200 && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
                    || "-_.+".utf8.contains(byte)
            } && text.utf8.allSatisfy { $0 < 0x80 }
        return isName ? String(text) : nil
    }

    private static func notHub(_ url: URL, _ what: String) -> FileError {
        FileError(
            .invalidData, "an answer \(what)", source: url.absoluteString,
            remedy: "this is not a model hub; check HF_ENDPOINT and any proxy in between")
    }
}
