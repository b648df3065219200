package import Files

/// A repository of the hub as written by a user: `ORG/NAME`, or `ORG/NAME@REVISION` for a revision other than `main`.
package struct HubModel: Sendable, Equatable, CustomStringConvertible {
    /// `ORG/NAME`, or the bare `NAME` of the oldest repositories.
    package let repository: String
    /// A branch, a tag, or a commit of 40 hexadecimal digits.
    package let revision: String

    /// - Parameters:
    ///   - text: the user's input.
    ///   - allowsBareName: whether a name without an organization is accepted.
    /// - Throws: `usage` if it is neither.
    package init(_ text: String, allowsBareName: Bool = false) throws(FileError) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        repository = String(parts[0])
        revision = parts.count > 1 ? String(parts[1]) : "main"
        if let fault = Self.fault(repository: repository, allowsBareName: allowsBareName) {
            throw FileError(
                .usage, "'\(text)' is not the name of a model on the hub (\(fault))",
                remedy: "write ORG/NAME or ORG/NAME@REVISION")
        }
        if let fault = Self.fault(revision: revision) {
            throw FileError(
                .usage, "'\(text)': invalid revision (\(fault))",
                remedy: "name a branch, a tag or a commit after the @")
        }
    }

    /// Whether `text` has the form `ORG/NAME[@REVISION]`.
    package static func isName(_ text: String) -> Bool { (try? HubModel(text)) != nil }

    package var description: String { revision == "main" ? repository : "\(repository)@\(revision)" }

    /// The hub's own rules for names, which also keep a name within its folder of the cache.
    private static func fault(repository: String, allowsBareName: Bool) -> String? {
        let parts = repository.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 || (allowsBareName && parts.count == 1) else { return "expected one '/'" }
        guard repository.utf8.count <= 96 else { return "more than 96 characters" }
        for part in parts {
            guard !part.isEmpty, part.utf8.allSatisfy(isOfName) else {
                return "expected letters, digits, '-', '_' and '.'"
            }
            guard let first = part.first, let last = part.last, !"-.".contains(first), !"-.".contains(last) else {
                return "a part starts or ends with '-' or '.'"
            }
        }
        guard !repository.contains("--"), !repository.contains("..") else { return "'--' and '..' are reserved" }
        return repository.hasSuffix(".git") ? "it ends in '.git'" : nil
    }

    /// A revision is the path of a file below `refs/`, so each component must be a valid file name.
    private static func fault(revision: String) -> String? {
        guard !revision.isEmpty, revision.utf8.count <= 200 else { return "expected 1 to 200 characters" }
        return SnapshotName.fault(revision)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
