import Files
public import Foundation

/// A file of named tensors: eight bytes of header length, a JSON header, then the raw little-endian elements.
///
/// The format is that of the `safetensors` project. Everything the header claims is checked before an element is read:
/// sizes, ranges, overlaps and holes.
public struct Safetensors: Sendable {
    /// Where a tensor lies and what it is.
    public struct Entry: Sendable, Equatable {
        public let dtype: DType
        public let shape: [Int]
        /// Bytes after the header.
        let range: Range<Int>
    }

    /// The tensors by name.
    public let entries: [String: Entry]
    /// The free-form strings that the header carries.
    public let metadata: [String: String]
    private let data: Data
    private let start: Int
    private let path: String

    /// Names in alphabetical order.
    public var names: [String] { entries.keys.sorted() }

    static let greatestHeader = 100_000_000

    /// Maps the file at `url` and checks its header.
    ///
    /// - Throws: ``TorchError`` of kind `missingFile` or `invalidFile`, naming the file and the first fault.
    public init(contentsOf url: URL) throws(TorchError) {
        path = url.path
        guard FileManager.default.fileExists(atPath: path) else {
            throw TorchError(.missingFile, "\(path): no such file; expected a safetensors file")
        }
        do { data = try Data(contentsOf: url, options: .alwaysMapped) } catch {
            throw TorchError(.missingFile, "\(path): cannot be read: \(error.localizedDescription)")
        }
        let header = try Self.header(of: data, path)
        start = 8 + header.count
        (entries, metadata) = try Self.parse(header, payload: data.count - start, path)
    }

    private static func header(of data: Data, _ path: String) throws(TorchError) -> Data {
        guard data.count >= 8 else {
            throw invalid(path, "has \(data.count) bytes; a safetensors file starts with 8 bytes of header length")
        }
        let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(greatestHeader), length <= UInt64(data.count - 8) else {
            throw invalid(path, "claims a header of \(length) bytes but has \(data.count - 8) after its first 8")
        }
        return data.subdata(in: 8..<8 + Int(length))
    }

    private static func parse(
        _ header: Data, payload: Int, _ path: String
    ) throws(TorchError) -> ([String: Entry], [String: String]) {
        guard let object = try? JSONSerialization.jsonObject(with: header), let table = object as? [String: Any] else {
            throw invalid(path, "has a header that is no JSON object")
        }
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for (name, value) in table {
            if name == "__metadata__" {
                guard let strings = value as? [String: String] else {
                    throw invalid(path, "has __metadata__ that is no table of strings")
                }
                metadata = strings
            } else {
                entries[name] = try entry(name, value, payload: payload, path)
            }
        }
        var end = 0
        for (name, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.key) < ($1.value.range.lowerBound, $1.key)
        })
        where !entry.range.isEmpty {
            guard entry.range.lowerBound == end else {
                let fault = entry.range.lowerBound < end ? "overlaps the one before it" : "leaves a hole before it"
                throw invalid(path, "tensor '\(name)' at byte \(entry.range.lowerBound) \(fault), which ends at \(end)")
            }
            end = entry.range.upperBound
        }
        guard end == payload else { throw invalid(path, "describes \(end) bytes of elements but holds \(payload)") }
        return (entries, metadata)
    }

    private static func entry(
        _ name: String, _ value: Any, payload: Int, _ path: String
    ) throws(TorchError) -> Entry {
        guard let fields = value as? [String: Any], let code = fields["dtype"] as? String,
            let sizes = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int], offsets.count == 2
        else { throw invalid(path, "tensor '\(name)' lacks dtype, shape or data_offsets of the expected types") }
        guard let dtype = codes.first(where: { $0.value == code })?.key else {
            throw invalid(
                path,
                "tensor '\(name)' has element type \(code); expected one of \(codes.values.sorted().joined(separator: ", "))"
            )
        }
        var bytes = dtype.width
        for size in sizes {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { throw invalid(path, "tensor '\(name)' has impossible shape \(sizes)") }
            bytes = product
        }
        guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= payload else {
            throw invalid(
                path,
                "tensor '\(name)' lies at bytes \(offsets[0])..<\(offsets[1]), outside the \(payload) that follow the header"
            )
        }
        guard offsets[1] - offsets[0] == bytes else {
            throw invalid(
                path,
                "tensor '\(name)' of \(code) \(sizes) takes \(bytes) bytes but \(offsets[1] - offsets[0]) are given")
        }
        return Entry(dtype: dtype, shape: sizes, range: offsets[0]..<offsets[1])
    }

    /// The tensor called `name`, copied out of the file.
    ///
    /// - Throws: ``TorchError`` of kind `invalidFile` where there is none of that name.
    public func tensor(_ name: String) throws(TorchError) -> Tensor {
        guard let entry = entries[name] else {
            throw TorchError(
                .invalidFile, "\(path): no tensor '\(name)'; found \(names.prefix(5).joined(separator: ", "))")
        }
        let result = data.withUnsafeBytes { whole in
            let bytes = UnsafeRawBufferPointer(
                rebasing: whole[start + entry.range.lowerBound..<start + entry.range.upperBound])
            return Result { () throws(TorchError) in try Tensor(bytes: bytes, shape: entry.shape, dtype: entry.dtype) }
        }
        return try result.get()
    }

    static let codes: [DType: String] = [
        .float32: "F32", .float64: "F64", .float16: "F16", .bfloat16: "BF16", .int64: "I64", .int32: "I32",
        .int16: "I16", .int8: "I8", .uint8: "U8", .bool: "BOOL",
    ]

    private static func invalid(_ path: String, _ fault: String) -> TorchError {
        TorchError(.invalidFile, "\(path): the file \(fault); it is damaged or no safetensors file")
    }
}

extension Safetensors {
    /// Writes `tensors` in the given order to `url`, whole or not at all.
    ///
    /// - Throws: ``TorchError`` of kind `cannotWrite`.
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to url: URL
    ) throws(TorchError) {
        let names = tensors.map(\.name) + ["__metadata__"]
        guard Set(names).count == names.count else {
            throw TorchError(
                .value, "\(url.path): two tensors of one name, or one called __metadata__, cannot be written")
        }
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var offset = 0
        for (name, tensor) in tensors {
            let dtype = try tensor.dtype
            let shape = try tensor.shape
            let end = offset + shape.reduce(1, *) * dtype.width
            let sizes = shape.map(String.init).joined(separator: ",")
            fields.append(
                "\(quoted(name)):{\"dtype\":\"\(codes[dtype] ?? "F32")\",\"shape\":[\(sizes)],\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        var header = Array("{\(fields.joined(separator: ","))}".utf8)
        // Elements start at a multiple of eight, so that a mapped file can be read in place.
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        let file = try writing { () throws(FileError) in
            let file = try OutputFile(url)
            try file.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) })
            try file.write(header)
            return file
        }
        for (_, tensor) in tensors {
            let elements = try tensor.bytes()
            try writing { () throws(FileError) in try file.write(elements) }
        }
        try writing { () throws(FileError) in try file.commit() }
    }

    private static func writing<Result>(_ body: () throws(FileError) -> Result) throws(TorchError) -> Result {
        do { return try body() } catch { throw TorchError(.cannotWrite, error.description) }
    }

    private static func quoted(_ text: String) -> String {
        let bytes =
            (try? JSONSerialization.data(withJSONObject: text, options: [.fragmentsAllowed, .withoutEscapingSlashes]))
            ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}
