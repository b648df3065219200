package import Files
package import Foundation

/// Opens weights of any supported format: a file, or an index of shards. ``FileKind`` determines the format by content;
/// tensors have the names under which a network registers them.
package struct WeightFile: Sendable {
    /// Path, for messages.
    package let path: String
    /// Shapes and types by name.
    package let entries: [String: TensorEntry]
    /// What the user should know about how it was read, one line each.
    package let notes: [String]
    /// The `config.json` embedded in the file.
    package let configuration: [UInt8]?
    /// Total size of all files, bytes.
    package let bytesOnDisk: Int
    private let tables: [any TensorTable & Sendable]
    /// For each name without wrappers: the table, and the name there.
    private let places: [String: (table: Int, name: String)]

    /// Opens a weight file.
    ///
    /// - Throws: ``FileError`` that names the file, its kind and what to do.
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
        // The extension promises a format: report errors in its terms.
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
                    source: folder.appending(path: shard).path, remedy: "download the folder's files again")
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

    /// The elements of `name` in row-major order, little-endian.
    ///
    /// - Throws: ``FileError`` of kind `invalidData`.
    package func bytes(_ name: String) throws(FileError) -> [UInt8] {
        guard let place = places[name] else { throw FileError(.invalidData, "no tensor '\(name)'", source: path) }
        return try tables[place.table].bytes(place.name)
    }

    /// Whether `a` and `b` hold the same numbers: views of the same elements, or equal bytes.
    package func areEqual(_ a: String, _ b: String) throws(FileError) -> Bool {
        guard let first = places[a], let second = places[b], entries[a] == entries[b] else { return false }
        if first.table == second.table, let table = tables[first.table] as? PyTorchContent,
            table.areShared(first.name, second.name)
        {
            return true
        }
        return try bytes(a) == bytes(b)
    }

    /// The PyTorch file; nil for any other format.
    package var pyTorch: PyTorchContent? { tables.count == 1 ? tables[0] as? PyTorchContent : nil }

    /// Replaces the table of a training checkpoint with its moving average.
    ///
    /// - Parameter names: names of its tensors, in the order in which the network registers them.
    /// - Throws: ``FileError`` of kind `invalidData` if there is none, or the count differs.
    package func average(names: [String]) throws(FileError) -> WeightFile {
        guard let content = pyTorch else {
            throw FileError(.invalidData, "no moving average", source: path, remedy: "use --weights raw")
        }
        return try WeightFile(content.average(names: names), bytes: bytesOnDisk)
    }
}
