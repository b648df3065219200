import Files
import Foundation
package import SEDD

extension APIKeys {
    /// Reads the keys in a file, one per line; empty lines and text from a `#` at the start of a line or after a space
    /// are ignored.
    ///
    /// - Parameter warn: called if other users of this machine can read the file.
    /// - Throws: ``SEDDError`` if the file does not exist, is not UTF-8, contains no key, or has an invalid line;
    ///   messages never contain keys.
    package init(contentsOf path: String, warn: (String) -> Void) throws(SEDDError) {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try FileSystem.contents(of: FileSystem.url(path), limit: 1 << 20) } catch {
            throw SEDDError(error.kind, "\(path): \(error.problem); expected a file with one key per line")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SEDDError(.invalidData, "\(path): not UTF-8; expected a file with one key per line")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        if let mode = attributes?[.posixPermissions] as? Int, attributes?[.type] as? FileAttributeType == .typeRegular,
            mode & 0o077 != 0
        {
            warn(
                "\(path): other users of this machine can read the keys (mode \(String(mode, radix: 8))); chmod 600 it")
        }
        let keys = try Self.keys(text, source: path)
        guard !keys.isEmpty else { throw SEDDError(.invalidData, "\(path): contains no key; expected one per line") }
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
