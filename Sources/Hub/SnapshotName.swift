import Files

/// The path of a file within a repository. It may come from untrusted files, so it is checked before it becomes part of
/// a local path.
enum SnapshotName {
    /// - Throws: `invalidData` if the name would lead out of the folder.
    static func check(_ name: String, source: String) throws(FileError) {
        if let fault = fault(name) {
            throw FileError(.invalidData, "it names the file '\(name)' (\(fault))", source: source)
        }
    }

    /// What is wrong with a relative path; nil if each component is a valid file name.
    static func fault(_ name: String) -> String? {
        guard !name.isEmpty, name.utf8.count <= 1024 else { return "expected 1 to 1024 characters" }
        guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else {
            return "control characters and backslashes are not allowed"
        }
        for part in name.split(separator: "/", omittingEmptySubsequences: false) {
            guard !part.isEmpty, part != ".", part != "..", part.utf8.count <= 255 else {
                return "expected a path within the repository"
            }
        }
        return nil
    }

    /// Whether `text` has the form of a commit.
    static func isCommit(_ text: String) -> Bool { text.utf8.count == 40 && text.utf8.allSatisfy(isHexadecimal) }

    static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
