import Files
import Foundation
package import SEDD

extension APIKeys {
    /// The keys of a file, one a line; empty lines, and what follows a `#` at the start of a line or after a space, are comments.
    ///
    /// - Parameter warn: told where others on this machine can read the file.
    /// - Throws: ``SEDDError`` where there is no file in UTF-8, no key in it, or a line that cannot be one; keys are never named.
    package init(contentsOf path: String, warn: (String) -> Void) throws(SEDDError) {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SEDDError(.missingInput, "\(path): cannot be read as UTF-8; expected a file of keys, one a line")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        if let mode = attributes?[.posixPermissions] as? Int, attributes?[.type] as? FileAttributeType == .typeRegular,
            mode & 0o077 != 0
        {
            warn("\(path): others on this machine may read the keys (mode \(String(mode, radix: 8))); chmod 600 it")
        }
        let keys = try Self.keys(text, source: path)
        guard !keys.isEmpty else { throw SEDDError(.invalidData, "\(path): has no key; expected one a line") }
        self.init(keys)
    }

    static func keys(_ text: String, source: String) throws(SEDDError) -> [String] {
        var keys: [String] = []
        let lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let key = words.first, !key.hasPrefix("#") else { continue }
            guard key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), words.count == 1 || words[1].hasPrefix("#")
            else {
                throw SEDDError(
                    .invalidData,
                    "\(source): line \(number + 1) is not a key; expected visible ASCII characters without spaces, or # and a comment"
                )
            }
            keys.append(String(key))
        }
        return keys
    }
}
