package import Files
package import Foundation

/// Writes a zip archive for `torch.load`: uncompressed records, each aligned to 64 bytes for memory mapping, in a
/// folder with the archive's name. The file appears atomically.
package struct ZipWriter {
    private struct Entry {
        let name: [UInt8]
        let checksum: UInt32
        let size, offset: Int
    }

    private let file: OutputFile
    private let folder: String
    private var entries: [Entry] = []
    private var offset = 0

    static let alignment = 64
    /// The value of 32-bit fields whose number is in zip64's extra field.
    private static let elsewhere = 0xFFFF_FFFF

    /// - Parameter folder: common folder of all records.
    /// - Throws: ``FileError`` of kind `cannotWrite`.
    package init(_ target: URL, folder: String) throws(FileError) {
        file = try OutputFile(target)
        self.folder = folder
    }

    /// Adds the record `FOLDER/name`.
    ///
    /// - Throws: ``FileError`` of kind `cannotWrite`.
    package mutating func add(_ name: String, _ bytes: [UInt8]) throws(FileError) {
        let name = Array("\(folder)/\(name)".utf8)
        let entry = Entry(name: name, checksum: CRC32.checksum(bytes), size: bytes.count, offset: offset)
        var header = Self.number(0x0403_4B50, 4) + Self.common(entry, extra: 0)
        let wide = Self.isWide(entry) ? Self.number(1, 2) + Self.number(16, 2) + Self.sizes(entry) : []
        // Padding is an extra field of at least four bytes.
        let unpadded = offset + header.count + name.count + wide.count + 4
        let padding = (Self.alignment - unpadded % Self.alignment) % Self.alignment
        let extra = wide + Self.number(0x4246, 2) + Self.number(padding, 2) + [UInt8](repeating: 0x5A, count: padding)
        header = Self.number(0x0403_4B50, 4) + Self.common(entry, extra: extra.count) + name + extra
        try file.write(header)
        try file.write(bytes)
        offset += header.count + bytes.count
        entries.append(entry)
    }

    /// Writes the directory, syncs, and renames the file.
    ///
    /// - Throws: ``FileError`` of kind `cannotWrite`.
    package func finish() throws(FileError) {
        var directory: [UInt8] = []
        for entry in entries {
            var numbers: [UInt8] = []
            if Self.isWide(entry) { numbers += Self.sizes(entry) }
            if entry.offset >= Self.elsewhere { numbers += Self.number(entry.offset, 8) }
            let extra = numbers.isEmpty ? [] : Self.number(1, 2) + Self.number(numbers.count, 2) + numbers
            directory += Self.number(0x0201_4B50, 4) + Self.number(45, 2) + Self.common(entry, extra: extra.count)
            // No comment, disk 0, no attributes.
            directory += [UInt8](repeating: 0, count: 10) + Self.number(min(entry.offset, Self.elsewhere), 4)
            directory += entry.name + extra
        }
        let (count, size) = (entries.count, directory.count)
        let end = offset + size
        var tail: [UInt8] = []
        if count >= 0xFFFF || size >= Self.elsewhere || offset >= Self.elsewhere {
            tail += Self.number(0x0606_4B50, 4) + Self.number(44, 8) + Self.number(45, 2) + Self.number(45, 2)
            tail += Self.number(0, 8) + Self.number(count, 8) + Self.number(count, 8) + Self.number(size, 8)
            tail += Self.number(offset, 8)
            tail += Self.number(0x0706_4B50, 4) + Self.number(0, 4) + Self.number(end, 8) + Self.number(1, 4)
        }
        let short = min(count, 0xFFFF)
        tail += Self.number(0x0605_4B50, 4) + Self.number(0, 4) + Self.number(short, 2) + Self.number(short, 2)
        tail += Self.number(min(size, Self.elsewhere), 4) + Self.number(min(offset, Self.elsewhere), 4)
        tail += Self.number(0, 2)
        try file.write(directory + tail)
        try file.commit()
    }

    /// Fields common to a local header and a directory entry, from the required version on.
    private static func common(_ entry: Entry, extra: Int) -> [UInt8] {
        let size = isWide(entry) ? elsewhere : entry.size
        // Stored; no time; zip's first date, 1980-01-01.
        return number(isWide(entry) ? 45 : 20, 2) + number(0, 2) + number(0, 2) + number(0, 2) + number(0x21, 2)
            + number(Int(entry.checksum), 4) + number(size, 4) + number(size, 4) + number(entry.name.count, 2)
            + number(extra, 2)
    }

    private static func isWide(_ entry: Entry) -> Bool { entry.size >= elsewhere }
    private static func sizes(_ entry: Entry) -> [UInt8] { number(entry.size, 8) + number(entry.size, 8) }

    private static func number(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
