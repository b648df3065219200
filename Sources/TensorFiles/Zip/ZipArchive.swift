package import Files

/// The directory of a zip archive with uncompressed records, PyTorch's format.
///
/// Archives over 4 GiB (zip64) are supported; compressed records are listed but refused, so memory use is bounded by
/// the file's size. (APPNOTE.TXT, sections 4.3.7 to 4.3.16.)
package struct ZipArchive: Sendable {
    /// A record, as described by the directory.
    struct Record: Sendable {
        let method: Int
        let stored, size: Int
        let header: Int
    }

    /// The file.
    package let file: RandomAccessFile
    let records: [String: Record]

    static let greatestDirectory = 1 << 26

    /// Reads the directory.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` that names the file and the fault.
    package init(_ file: RandomAccessFile) throws(FileError) {
        self.file = file
        let end = try Self.end(of: file)
        guard end.size <= Self.greatestDirectory, end.size >= 0, end.offset >= 0,
            end.offset <= file.count - end.size, end.count >= 0, end.count <= end.size / 46
        else {
            throw Self.invalid(
                file.path, "claims a directory of \(end.count) records in \(end.size) bytes at \(end.offset)")
        }
        var reader = ByteReader(try file.bytes(end.offset..<end.offset + end.size))
        var records: [String: Record] = [:]
        for _ in 0..<end.count {
            guard let (name, record) = reader.directoryEntry(), record.header <= file.count else {
                throw Self.invalid(file.path, "has a damaged directory")
            }
            guard records.updateValue(record, forKey: name) == nil else {
                throw Self.invalid(file.path, "has two records called '\(name)'")
            }
        }
        self.records = records
    }

    /// Names of the records.
    package var names: [String] { Array(records.keys) }

    /// Size of the record `name` in bytes; nil if there is none.
    package func size(_ name: String) -> Int? { records[name]?.size }

    /// The bytes of the record `name`.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` if it is absent, compressed, or outside the file.
    package func bytes(_ name: String) throws(FileError) -> [UInt8] { try file.bytes(range(name)) }

    /// Location of the record `name` in the file.
    func range(_ name: String) throws(FileError) -> Range<Int> {
        guard let record = records[name] else { throw Self.invalid(file.path, "lacks the record '\(name)'") }
        guard record.method == 0, record.stored == record.size else {
            throw FileError(
                .invalidData, "the record '\(name)' is compressed", source: file.path,
                remedy: "save the file with torch.save, which does not compress")
        }
        guard record.header <= file.count - 30 else { throw damaged(name) }
        var header = ByteReader(try file.bytes(record.header..<record.header + 30))
        guard header.number(4) == 0x0403_4B50, header.skip(22), let nameLength = header.number(2),
            let extraLength = header.number(2)
        else { throw damaged(name) }
        let start = record.header + 30 + nameLength + extraLength
        guard start <= file.count, record.size <= file.count - start else { throw damaged(name) }
        return start..<start + record.size
    }

    private func damaged(_ name: String) -> FileError {
        Self.invalid(file.path, "has a record '\(name)' that is not within the file")
    }

    /// Location of the directory, and number of records.
    private static func end(of file: RandomAccessFile) throws(FileError) -> (count: Int, size: Int, offset: Int) {
        let tail = min(file.count, 22 + 65535)
        let first = file.count - tail
        let bytes = try file.bytes(first..<file.count)
        let signature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
        // A comment may follow; the last signature whose comment ends with the file counts.
        var place = bytes.count - 22
        while place >= 0 {
            if bytes[place] == 0x50, Array(bytes[place..<place + 4]) == signature,
                place + 22 + Int(bytes[place + 20]) + Int(bytes[place + 21]) << 8 == bytes.count
            {
                break
            }
            place -= 1
        }
        guard place >= 0 else { throw invalid(file.path, "has no zip directory") }
        var reader = ByteReader(Array(bytes[place..<place + 22]))
        guard reader.skip(10), let count = reader.number(2), let size = reader.number(4), let offset = reader.number(4)
        else { throw invalid(file.path, "has no zip directory") }
        guard count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF else { return (count, size, offset) }
        return try wideEnd(of: file, before: first + place) ?? (count, size, offset)
    }

    /// The same from the zip64 record, whose locator precedes the ordinary end; nil if there is none.
    private static func wideEnd(
        of file: RandomAccessFile, before end: Int
    ) throws(FileError) -> (count: Int, size: Int, offset: Int)? {
        guard end >= 20 else { return nil }
        var locator = ByteReader(try file.bytes(end - 20..<end))
        guard locator.number(4) == 0x0706_4B50, locator.skip(4), let place = locator.number(8), place <= file.count - 56
        else { return nil }
        var reader = ByteReader(try file.bytes(place..<place + 56))
        guard reader.number(4) == 0x0606_4B50, reader.skip(28), let count = reader.number(8),
            let size = reader.number(8),
            let offset = reader.number(8)
        else { throw invalid(file.path, "has a damaged zip64 directory") }
        return (count, size, offset)
    }

    static func invalid(_ path: String, _ fault: String) -> FileError {
        FileError(
            .invalidData, "the file \(fault)", source: path,
            remedy: "it is damaged or truncated: save it again with torch.save, or download it again")
    }
}

/// Reads little-endian numbers from bytes.
struct ByteReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func skip(_ count: Int) -> Bool {
        guard count <= bytes.count - place else { return false }
        place += count
        return true
    }

    /// A number of `width` bytes; nil at the end, or if it does not fit Int.
    mutating func number(_ width: Int) -> Int? {
        guard width <= bytes.count - place else { return nil }
        defer { place += width }
        return Int(exactly: bytes[place..<place + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    mutating func text(_ count: Int) -> String? {
        guard count <= bytes.count - place else { return nil }
        defer { place += count }
        return String(decoding: bytes[place..<place + count], as: UTF8.self)
    }

    /// An entry of a zip directory; nil if it is damaged.
    mutating func directoryEntry() -> (name: String, record: ZipArchive.Record)? {
        guard number(4) == 0x0201_4B50, skip(6), let method = number(2), skip(8), var stored = number(4),
            var size = number(4), let nameLength = number(2), var extra = number(2), let comment = number(2), skip(8),
            var header = number(4), let name = text(nameLength)
        else { return nil }
        while extra >= 4 {
            guard let tag = number(2), let length = number(2), length <= extra - 4 else { return nil }
            extra -= 4 + length
            guard tag == 1 else {
                guard skip(length) else { return nil }
                continue
            }
            // Zip64: those of the three that did not fit, in this order.
            var rest = length
            for field in [\Wide.size, \Wide.stored, \Wide.header] {
                var wide = Wide(size: size, stored: stored, header: header)
                guard wide[keyPath: field] == 0xFFFF_FFFF else { continue }
                guard rest >= 8, let value = number(8) else { return nil }
                wide[keyPath: field] = value
                (size, stored, header) = (wide.size, wide.stored, wide.header)
                rest -= 8
            }
            guard skip(rest) else { return nil }
        }
        guard skip(extra), skip(comment) else { return nil }
        return (name, ZipArchive.Record(method: method, stored: stored, size: size, header: header))
    }

    private struct Wide { var size, stored, header: Int }
}
