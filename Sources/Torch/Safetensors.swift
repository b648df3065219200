public import Files
public import Foundation
package import TensorFiles

/// A file of named tensors: eight bytes of header length, a JSON header, then the raw little-endian elements.
///
/// The format is that of the `safetensors` project. Everything the header claims is checked before an element is read:
/// sizes, ranges, overlaps and holes. Elements are read as they are asked for; the file is not mapped, so one that is cut short
/// meanwhile gives an error.
public struct Safetensors: Sendable {
    /// What a tensor is.
    public struct Entry: Sendable, Equatable {
        /// Nil for the element types of the format that tensors here do not have, such as F8_E4M3.
        public let dtype: DType?
        public let shape: [Int]
    }

    /// The tensors by name.
    public let entries: [String: Entry]
    /// The free-form strings that the header carries.
    public var metadata: [String: String] { file.metadata }
    private let file: SafetensorsFile

    /// Names in alphabetical order.
    public var names: [String] { entries.keys.sorted() }

    /// Opens the file at `url` and checks its header.
    ///
    /// - Throws: `FileError` of kind `missingInput` or `invalidData`, naming the file and the first fault.
    public init(contentsOf url: URL) throws(FileError) {
        file = try SafetensorsFile(url)
        entries = file.entries.mapValues { Entry(dtype: DType(rawValue: $0.element.rawValue), shape: $0.shape) }
    }

    /// The tensor called `name`, copied out of the file.
    ///
    /// - Throws: `FileError` of kind `invalidData` where there is none of that name or the file was cut short, ``TorchError``
    ///   where there is no memory.
    public func tensor(_ name: String) throws -> Tensor {
        let elements = try file.bytes(name)
        guard let entry = file.entries[name] else {
            throw FileError(.invalidData, "no tensor '\(name)'", source: file.path)
        }
        return try entry.tensor(elements, name: name, path: file.path)
    }
}

extension TensorEntry {
    /// The tensor of `elements`, which a file holds under `name`.
    ///
    /// - Throws: `FileError` of kind `invalidData` where tensors do not have the element type.
    package func tensor(_ elements: [UInt8], name: String, path: String) throws -> Tensor {
        guard let dtype = DType(rawValue: element.rawValue) else {
            throw FileError(
                .invalidData,
                "the tensor '\(name)' has element type \(element.safetensorsName), which cannot be computed with",
                source: path, remedy: "save it as float32")
        }
        return try elements.withUnsafeBytes { try Tensor(bytes: $0, shape: shape, dtype: dtype) }
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
                "\(quoted(name)):{\"dtype\":\"\(ElementType(rawValue: dtype.rawValue)?.safetensorsName ?? "F32")\",\"shape\":[\(sizes)],\"data_offsets\":[\(offset),\(end)]}"
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
