package import Files

/// An open file of `torch.save`, with its pickle read and its storages located.
///
/// Two containers are supported: a zip archive with a record per storage, since 1.6, and the older one (also
/// `_use_new_zipfile_serialization=False`) of five pickles followed by the storages.
package struct PyTorchFile: Sendable {
    private enum Container: Sendable {
        case zip(ZipArchive, folder: String)
        case plain(RandomAccessFile, ranges: [String: Range<Int>])
    }

    package var path: String { file.path }
    let pickle: Pickle
    /// The record `config.json`, which files written by this project embed.
    package let configuration: [UInt8]?
    let file: RandomAccessFile
    private let container: Container

    /// Maximum pickle size: pickles hold names and shapes; tensors are stored outside of them.
    static let greatestPickle = 1 << 26
    /// The start of every file before 1.6, after the protocol opcode: the pickled number 0x1950a86a20f9469cfc6c.
    static let legacyMagic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]

    /// Opens a zip archive.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` that names the file and the fault.
    package init(zip file: RandomAccessFile) throws(FileError) {
        self.file = file
        let archive = try ZipArchive(file)
        let name = "/data.pkl"
        guard let main = archive.names.filter({ $0.hasSuffix(name) }).min(by: { ($0.count, $0) < ($1.count, $1) })
        else {
            throw FileError(
                .invalidData, "a zip archive without data.pkl, so not a PyTorch file", source: file.path,
                remedy: "unpack it, or name the file inside")
        }
        let folder = String(main.dropLast(name.count))
        guard archive.size(main) ?? 0 <= Self.greatestPickle else {
            throw FileError(
                .invalidData, "a pickle of \(archive.size(main) ?? 0) bytes; expected at most \(Self.greatestPickle)",
                source: file.path, remedy: "save only the weights, with torch.save(model.state_dict(), FILE)")
        }
        pickle = try PickleReader.read(archive.bytes(main), path: file.path)
        // Absent in older files, which are little-endian on all machines in use.
        if let size = archive.size(folder + "/byteorder"), size < 64,
            try archive.bytes(folder + "/byteorder") != Array("little".utf8)
        {
            throw Self.bigEndian(file)
        }
        if let size = archive.size(folder + "/config.json"), size < 1 << 20 {
            configuration = try archive.bytes(folder + "/config.json")
        } else {
            configuration = nil
        }
        container = .zip(archive, folder: folder)
    }

    /// Opens a file from before 1.6: magic number, version, machine description, content, storage keys; then each
    /// storage, preceded by its element count.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` that names the file and the fault.
    package init(legacy file: RandomAccessFile) throws(FileError) {
        self.file = file
        configuration = nil
        let bytes = try file.bytes(0..<min(file.count, Self.greatestPickle))
        guard bytes.count > 2, bytes[0] == 0x80, bytes.dropFirst(2).starts(with: Self.legacyMagic) else {
            throw FileError(
                .invalidData, "a pickle, but not one written by torch.save", source: file.path,
                remedy: "save the weights with torch.save(model.state_dict(), FILE)")
        }
        let version = try PickleReader.read(bytes, from: 2 + Self.legacyMagic.count, path: file.path)
        guard case .integer(1001) = version.root else {
            throw FileError(
                .invalidData, "an unknown version of PyTorch's file format", source: file.path,
                remedy: "save it again with torch.save")
        }
        let machine = try PickleReader.read(bytes, from: version.end, path: file.path)
        if case .bool(false)? = machine.value(machine.root, "little_endian") { throw Self.bigEndian(file) }
        pickle = try PickleReader.read(bytes, from: machine.end, path: file.path)
        let keys = try PickleReader.read(bytes, from: pickle.end, path: file.path)
        container = .plain(file, ranges: try Self.ranges(keys, pickle, file))
    }

    private static func ranges(
        _ keys: Pickle, _ pickle: Pickle, _ file: RandomAccessFile
    ) throws(FileError) -> [String: Range<Int>] {
        func damaged(_ what: String) -> FileError {
            FileError(
                .invalidData, "\(what) is not within the file of \(file.count) bytes", source: file.path,
                remedy: "it is damaged or truncated: save it again with torch.save, or download it again")
        }
        var ranges: [String: Range<Int>] = [:]
        var place = keys.end
        for case .text(let key) in keys.items(keys.root) ?? [] {
            guard let storage = pickle.heap.storages[key], place <= file.count - 8 else {
                throw damaged("the storage '\(key)'")
            }
            let count = try file.bytes(place..<place + 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let width = try width(of: storage, file.path)
            guard count == UInt64(storage.count), storage.count <= (file.count - place - 8) / width else {
                throw damaged("the storage '\(key)' of \(storage.count) elements")
            }
            ranges[key] = place + 8..<place + 8 + storage.count * width
            place += 8 + storage.count * width
        }
        return ranges
    }

    private static func width(of storage: PickledStorage, _ path: String) throws(FileError) -> Int {
        guard let element = ElementType(storageClass: storage.type) else {
            throw FileError(
                .invalidData, "a tensor has storage \(storage.type), an unknown element type", source: path,
                remedy: "save the weights as float32")
        }
        return element.bits / 8
    }

    private static func bigEndian(_ file: RandomAccessFile) -> FileError {
        FileError(
            .invalidData, "its numbers are big-endian", source: file.path, remedy: "save it on a little-endian machine")
    }

    /// The elements of `tensor` in row-major order.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` if the storage is absent or has another size.
    func bytes(_ tensor: PickledTensor) throws(FileError) -> [UInt8] {
        let storage = tensor.storage
        let width = try Self.width(of: storage, path)
        let whole = try range(storage)
        guard let count = TensorEntry.count(tensor.shape), count <= storage.count else {
            throw FileError(
                .invalidData,
                "a tensor of shape \(tensor.shape) repeats the \(storage.count) elements of its storage", source: path,
                remedy: "save it with .contiguous()")
        }
        guard count > 0 else { return [] }
        let start = whole.lowerBound + (storage.offset + tensor.offset) * width
        guard !tensor.isContiguous else { return try file.bytes(start..<start + count * width) }
        let reach = zip(tensor.shape, tensor.strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
        return tensor.gathered(try file.bytes(start..<start + reach * width), width: width, count: count)
    }

    /// Location of a storage, or of the storage of which it is a view, checked against the file.
    private func range(_ storage: PickledStorage) throws(FileError) -> Range<Int> {
        let found: Range<Int>
        switch container {
        case .zip(let archive, let folder): found = try archive.range("\(folder)/data/\(storage.key)")
        case .plain(_, let ranges):
            guard let range = ranges[storage.key] else {
                throw FileError(.invalidData, "the storage '\(storage.key)' is missing", source: path)
            }
            found = range
        }
        let whole = pickle.heap.storages[storage.key] ?? storage
        let (bytes, overflow) = whole.count.multipliedReportingOverflow(by: try Self.width(of: whole, path))
        guard !overflow, found.count == bytes else {
            throw FileError(
                .invalidData,
                "the record data/\(storage.key) has \(found.count) bytes; expected \(whole.count) elements of \(whole.type)",
                source: path, remedy: "it is damaged: save it again with torch.save, or download it again")
        }
        return found
    }
}

extension PickledTensor {
    /// Whether the elements are contiguous in row-major order.
    var isContiguous: Bool {
        var step = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == step else { return false }
            step *= size
        }
        return true
    }

    /// Gathers elements in row-major order from `bytes`, which begin with the tensor's first element.
    func gathered(_ bytes: [UInt8], width: Int, count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count * width)
        var index = [Int](repeating: 0, count: shape.count)
        var place = 0
        for _ in 0..<count {
            result.append(contentsOf: bytes[place * width..<(place + 1) * width])
            for dimension in shape.indices.reversed() {
                index[dimension] += 1
                // The stride of a dimension of size 1 may be any number, and is never taken.
                place &+= strides[dimension]
                guard index[dimension] == shape[dimension] else { break }
                place &-= strides[dimension] &* shape[dimension]
                index[dimension] = 0
            }
        }
        return result
    }
}
