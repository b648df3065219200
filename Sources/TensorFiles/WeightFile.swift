package import Files
package import Foundation

/// The one opener of weights: a file, or an index of several, of any kind that ``FileKind`` tells apart by content; its tensors
/// by the names that a network registers them under.
package struct WeightFile: Sendable {
    /// What messages call it.
    package let path: String
    package let entries: [String: TensorEntry]
    /// What the user should know of how it was read, a line each.
    package let notes: [String]
    /// The `config.json` that the file carries within itself.
    package let configuration: [UInt8]?
    /// Bytes of all files together.
    package let bytesOnDisk: Int
    private let tables: [any TensorTable & Sendable]
    /// By a name without wrappers: the table, and the name there.
    private let places: [String: (table: Int, name: String)]

    /// Opens a file of weights.
    ///
    /// - Throws: ``FileError``, naming the file, what it is and what to do.
    package init(_ url: URL) throws(FileError) {
        try self.init(url, allowsIndex: true)
    }

    private init(_ url: URL, allowsIndex: Bool) throws(FileError) {
        let file = try RandomAccessFile(url)
        let kind = try FileKind(of: file)
        switch kind {
        case .safetensors: try self.init(safetensors: file)
        case .zip: try self.init(PyTorchContent(PyTorchFile(zip: file)), bytes: file.count)
        case .pickle: try self.init(PyTorchContent(PyTorchFile(legacy: file)), bytes: file.count)
        case .json where allowsIndex && url.lastPathComponent.hasSuffix(".json"): try self.init(index: url)
        // The name asks for an answer in the words of its format.
        case .unknown where url.pathExtension == "safetensors": try self.init(safetensors: file)
        default: throw kind.refusal(path: url.path)
        }
    }

    private init(safetensors file: RandomAccessFile) throws(FileError) {
        let opened = try SafetensorsFile(file)
        try self.init(
            [opened], path: opened.path, bytes: file.count, notes: [],
            configuration: opened.metadata["config"].map { Array($0.utf8) })
    }

    private init(_ content: PyTorchContent, bytes: Int) throws(FileError) {
        try self.init(
            [content], path: content.path, bytes: bytes, notes: content.notes, configuration: content.file.configuration
        )
    }

    private init(index url: URL) throws(FileError) {
        let index = try ShardedIndex.read(url)
        let folder = url.deletingLastPathComponent()
        var opened: [WeightFile] = []
        for shard in index.shards { opened.append(try WeightFile(folder.appending(path: shard), allowsIndex: false)) }
        let places = Dictionary(uniqueKeysWithValues: index.shards.enumerated().map { ($1, $0) })
        for (name, shard) in index.weightMap.sorted(by: { $0.key < $1.key }) {
            guard let place = places[shard], opened[place].entries[TensorNames.stripped(name)] != nil else {
                throw FileError(
                    .invalidData, "no tensor '\(name)', which \(url.lastPathComponent) says is here",
                    source: folder.appending(path: shard).path, remedy: "fetch the folder's files again")
            }
        }
        try self.init(
            opened.flatMap(\.tables), path: url.path, bytes: opened.reduce(0) { $0 + $1.bytesOnDisk },
            notes: opened.flatMap(\.notes), configuration: nil)
    }

    private init(
        _ tables: [any TensorTable & Sendable], path: String, bytes: Int, notes: [String], configuration: [UInt8]?
    ) throws(FileError) {
        var entries: [String: TensorEntry] = [:]
        var places: [String: (table: Int, name: String)] = [:]
        for (place, table) in tables.enumerated() {
            for (name, entry) in table.entries {
                let stripped = TensorNames.stripped(name)
                if let other = places.updateValue((place, name), forKey: stripped) {
                    throw FileError(
                        .invalidData, "two tensors, '\(other.name)' and '\(name)', are both '\(stripped)'",
                        source: table.path, remedy: "save one of them")
                }
                entries[stripped] = entry
            }
        }
        self.path = path
        self.entries = entries
        self.notes = notes
        self.configuration = configuration
        self.tables = tables
        self.places = places
        bytesOnDisk = bytes
    }

    /// The elements of `name` in row order, little-endian.
    ///
    /// - Throws: ``FileError`` of kind `invalidData`.
    package func bytes(_ name: String) throws(FileError) -> [UInt8] {
        guard let place = places[name] else { throw FileError(.invalidData, "no tensor '\(name)'", source: path) }
        return try tables[place.table].bytes(place.name)
    }

    /// Whether `a` and `b` are the same numbers: views of the same elements, or of equal bytes.
    package func areEqual(_ a: String, _ b: String) throws(FileError) -> Bool {
        guard let first = places[a], let second = places[b], entries[a] == entries[b] else { return false }
        if first.table == second.table, let table = tables[first.table] as? PyTorchContent,
            table.areShared(first.name, second.name)
        {
            return true
        }
        return try bytes(a) == bytes(b)
    }

    /// The PyTorch file that this is; nil for any other kind.
    package var pyTorch: PyTorchContent? { tables.count == 1 ? tables[0] as? PyTorchContent : nil }

    /// The moving average of a training checkpoint in place of its table.
    ///
    /// - Parameter names: what its tensors are called, in the order in which the network registers them.
    /// - Throws: ``FileError`` of kind `invalidData` where there is none, or of another count.
    package func average(names: [String]) throws(FileError) -> WeightFile {
        guard let content = pyTorch else {
            throw FileError(.invalidData, "no moving average", source: path, remedy: "use --weights raw")
        }
        return try WeightFile(content.average(names: names), bytes: bytesOnDisk)
    }
}
