import Files
import Foundation
import Torch

/// An opened PyTorch file: its pickle, read, and its storages, on demand.
final class PyTorchArchive {
    let path: String
    let pickle: Pickle
    private let reader: ArchiveReader

    init(contentsOf url: URL) throws {
        path = url.path
        reader = try ArchiveReader(contentsOf: url)
        pickle = try PickleReader.read(reader.record("data.pkl"), path: path)
        // Absent in older files, which are little-endian on every machine that is still met.
        if reader.has("byteorder"), try reader.record("byteorder") != Array("little".utf8) {
            throw SEDDError(.invalidData, "\(path): its numbers are big-endian; save it on a little-endian machine")
        }
    }

    /// The elements of `pickled`, in row order.
    func tensor(_ pickled: PickledTensor) throws -> Tensor {
        guard let dtype = Self.types[pickled.dtype] else {
            throw SEDDError(
                .invalidData,
                "\(path): a tensor has storage \(pickled.dtype); expected one of \(Self.types.keys.sorted().joined(separator: ", "))"
            )
        }
        let bytes = try reader.record("data/\(pickled.key)")
        guard bytes.count == pickled.count * dtype.width else {
            throw SEDDError(
                .invalidData,
                "\(path): the record data/\(pickled.key) has \(bytes.count) bytes; expected \(pickled.count) elements of \(pickled.dtype)"
            )
        }
        let storage = try bytes.withUnsafeBytes { try Tensor(bytes: $0, shape: [pickled.count], dtype: dtype) }
        return try storage.strided(pickled.shape, pickled.strides, offset: pickled.offset).contiguous()
    }

    static let types: [String: DType] = [
        "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool,
    ]
}
