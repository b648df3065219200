public import Files
public import Foundation
package import TensorFiles

/// A file of named tensors: eight bytes of header length, a JSON header, then raw little-endian elements.
///
/// The format of the `safetensors` project. The header is validated before any element is read: sizes, ranges, overlaps
/// and holes. Elements are read on demand; the file is not mapped, so truncation causes an error.
public struct Safetensors: Sendable {
    /// Type and shape of a tensor.
    public struct Entry: Sendable, Equatable {
        /// Nil for element types of the format that tensors here do not support, such as F8_E4M3.
        public let dtype: DType?
        /// Dimensions; row-major.
        public let shape: [Int]
    }

    /// The tensors, by name.
    public let entries: [String: Entry]
    /// The header's free-form strings.
    public var metadata: [String: String] { file.metadata }
    private let file: SafetensorsFile

    /// Names in alphabetical order.
    public var names: [String] { entries.keys.sorted() }

    /// Opens the file at `url` and validates its header.
    ///
    /// - Throws: `FileError` of kind `missingInput` or `invalidData` that names the file and the first fault.
    public init(contentsOf url: URL) throws(FileError) {
        file = try SafetensorsFile(url)
        entries = file.entries.mapValues { Entry(dtype: DType(rawValue: $0.element.rawValue), shape: $0.shape) }
    }

    /// Reads the tensor called `name`.
    ///
    /// - Throws: `FileError` of kind `invalidData` if there is no such tensor or the file was truncated, ``TorchError``
    ///   if memory is exhausted.
    public func tensor(_ name: String) throws -> Tensor {
        let elements = try file.bytes(name)
        guard let entry = file.entries[name] else {
            throw FileError(.invalidData, "no tensor '\(name)'", source: file.path)
        }
        return try entry.tensor(elements, name: name, path: file.path)
    }
}

extension TensorEntry {
    /// The tensor of `elements` stored in a file under `name`.
    ///
    /// - Throws: `FileError` of kind `invalidData` if tensors do not support the element type.
    package func tensor(_ elements: [UInt8], name: String, path: String) throws -> Tensor {
        guard let dtype = DType(rawValue: element.rawValue) else {
            throw FileError(
                .invalidData,
                "the tensor '\(name)' has element type \(element.safetensorsName), which is not supported",
                source: path, remedy: "save it as float32")
        }
        return try elements.withUnsafeBytes { try Tensor(bytes: $0, shape: shape, dtype: dtype) }
    }
}

extension Safetensors {
    /// Writes `tensors` in the given order to `url`, atomically.
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
                "\(quoted(name)):{\"dtype\":\"\(ElementType(rawValue: dtype.rawValue)?.safetensorsName ?? "F32")\",\"shape\":[\(sizes)],\"data_offsets\":[\(offset),\(end)]}"
            )
            offset = end
        }
        var header = Array("{\(fields.joined(separator: ","))}".utf8)
        // Elements start at a multiple of eight, so that a mapped file can be used in place.
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
