package import Files
package import Foundation

/// A safetensors file: eight bytes of header length, a JSON header, then the raw little-endian elements.
///
/// The header is validated before any element is read, as strictly as by the format's own reader: invalid sizes,
/// ranges, overlaps and holes are errors; `__metadata__` may be null, and unknown keys of a tensor are ignored.
package struct SafetensorsFile: TensorTable, Sendable {
    /// Shapes and types by name.
    package let entries: [String: TensorEntry]
    /// The header's free-form strings.
    package let metadata: [String: String]
    /// Path of the file.
    package var path: String { file.path }
    private let file: RandomAccessFile
    /// Place of each tensor's data, in bytes from the start of the file.
    private let ranges: [String: Range<Int>]

    static let greatestHeader = 100_000_000

    /// - Throws: ``FileError`` of kind `missingInput`, or `invalidData` that names the first fault.
    package init(_ url: URL) throws(FileError) { try self.init(RandomAccessFile(url)) }

    package init(_ file: RandomAccessFile) throws(FileError) {
        self.file = file
        guard file.count >= 8 else {
            throw Self.invalid(
                file.path, "has \(file.count) bytes; a safetensors file starts with 8 bytes of header length")
        }
        let length = try file.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Self.greatestHeader), length <= UInt64(file.count - 8) else {
            throw Self.invalid(
                file.path, "claims a header of \(length) bytes but has \(file.count - 8) after its first 8")
        }
        let start = 8 + Int(length)
        let header = try Header(file.bytes(8..<start), payload: file.count - start, path: file.path)
        (entries, metadata) = (header.entries, header.metadata)
        ranges = header.ranges.mapValues { start + $0.lowerBound..<start + $0.upperBound }
    }

    package func bytes(_ name: String) throws(FileError) -> [UInt8] {
        guard let range = ranges[name] else {
            throw FileError(
                .invalidData, "no tensor '\(name)'; found \(entries.keys.sorted().prefix(5).joined(separator: ", "))",
                source: path)
        }
        return try file.bytes(range)
    }

    private static func invalid(_ path: String, _ fault: String) -> FileError {
        FileError(.invalidData, "the file \(fault)", source: path, remedy: "it is damaged or not a safetensors file")
    }
}

extension SafetensorsFile {
    /// The validated header.
    package struct Header {
        /// Shapes and types by name.
        package private(set) var entries: [String: TensorEntry] = [:]
        /// Free-form strings.
        package private(set) var metadata: [String: String] = [:]
        /// Byte offset after the header.
        package private(set) var ranges: [String: Range<Int>] = [:]
        private let path: String

        /// A header contains tensors by name, their fields, and shapes; nothing deeper is read.
        static let rules: JSONParser.Rules = {
            var rules = JSONParser.Rules(depth: 32, values: 1 << 22)
            rules.allowsDuplicates = true
            return rules
        }()

        /// - Parameters:
        ///   - json: the header.
        ///   - payload: number of bytes after the header.
        package init(_ json: [UInt8], payload: Int, path: String) throws(FileError) {
            self.path = path
            let tree: JSONValue
            do throws(FileError) { tree = try JSON.parse(json, source: path, rules: Self.rules) } catch {
                throw SafetensorsFile.invalid(path, "has a header that is not a JSON object: \(error.problem)")
            }
            guard case .object(let table) = tree else {
                throw SafetensorsFile.invalid(path, "has a header that is not a JSON object")
            }
            for (name, value) in table {
                if name == "__metadata__" {
                    try read(metadata: value)
                } else {
                    try add(name, value, payload: payload)
                }
            }
            try requireCover(payload)
        }

        private mutating func read(metadata value: JSONValue) throws(FileError) {
            if case .null = value { return }
            guard case .object(let strings) = value else {
                throw SafetensorsFile.invalid(path, "has __metadata__ that is not a table of strings")
            }
            for (key, value) in strings {
                guard case .string(let text) = value else {
                    throw SafetensorsFile.invalid(path, "has __metadata__ that is not a table of strings")
                }
                metadata[key] = text
            }
        }

        private mutating func add(_ name: String, _ value: JSONValue, payload: Int) throws(FileError) {
            guard case .object(let fields) = value, case .string(let code)? = fields["dtype"],
                let shape = Self.integers(fields["shape"]), let offsets = Self.integers(fields["data_offsets"]),
                offsets.count == 2
            else {
                throw SafetensorsFile.invalid(
                    path, "has a tensor '\(name)' that lacks dtype, shape or data_offsets of the expected types")
            }
            guard let element = ElementType(safetensorsName: code) else {
                let known = ElementType.allCases.map(\.safetensorsName).sorted().joined(separator: ", ")
                throw SafetensorsFile.invalid(
                    path, "has a tensor '\(name)' of element type \(code); expected one of \(known)")
            }
            guard let count = TensorEntry.count(shape),
                case let (bits, overflow) = count.multipliedReportingOverflow(by: element.bits), !overflow,
                bits % 8 == 0
            else { throw SafetensorsFile.invalid(path, "has a tensor '\(name)' of impossible shape \(shape)") }
            guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= payload else {
                throw SafetensorsFile.invalid(
                    path,
                    "has a tensor '\(name)' at bytes \(offsets[0])..<\(offsets[1]), outside the \(payload) that follow the header"
                )
            }
            guard offsets[1] - offsets[0] == bits / 8 else {
                throw SafetensorsFile.invalid(
                    path,
                    "has a tensor '\(name)' of \(code) \(shape), which takes \(bits / 8) bytes, but \(offsets[1] - offsets[0]) are given"
                )
            }
            entries[name] = TensorEntry(element: element, shape: shape)
            ranges[name] = offsets[0]..<offsets[1]
        }

        /// Tensors must be contiguous and fill the payload.
        private func requireCover(_ payload: Int) throws(FileError) {
            var end = 0
            let ordered = ranges.sorted {
                ($0.value.lowerBound, $0.value.upperBound, $0.key) < ($1.value.lowerBound, $1.value.upperBound, $1.key)
            }
            for (name, range) in ordered where !range.isEmpty {
                guard range.lowerBound == end else {
                    let fault = range.lowerBound < end ? "overlaps the one before it" : "leaves a hole before it"
                    throw SafetensorsFile.invalid(
                        path, "has a tensor '\(name)' at byte \(range.lowerBound) that \(fault), which ends at \(end)")
                }
                end = range.upperBound
            }
            guard end == payload else {
                throw SafetensorsFile.invalid(path, "describes \(end) bytes of elements but holds \(payload)")
            }
        }

        private static func integers(_ value: JSONValue?) -> [Int]? {
            guard case .array(let values)? = value else { return nil }
            var integers: [Int] = []
            for value in values {
                guard case .integer(let integer) = value else { return nil }
                integers.append(integer)
            }
            return integers
        }
    }
}
