package import Files

/// The contents of a PyTorch file: one table of tensors, wherever it is nested, and its metadata.
package struct PyTorchContent: TensorTable, Sendable {
    /// Shapes and types by name.
    package let entries: [String: TensorEntry]
    /// Path of the file.
    package var path: String { file.path }
    /// What the user should know about how the table was chosen.
    package let notes: [String]
    /// The numbers and flags of `model_args`, which nanoGPT stores beside its table.
    package let modelArguments: [String: Argument]?
    /// The unnamed tensors of `ema.shadow_params`, in the order in which the network registers its parameters.
    let shadow: [PickledTensor]?
    private let tensors: [String: PickledTensor]
    let file: PyTorchFile

    /// A number or a flag of `model_args`.
    package enum Argument: Sendable, Equatable {
        case integer(Int)
        case number(Double)
        case flag(Bool)
    }

    /// Entries under which training loops store a network's tensors.
    static let usualNames = ["state_dict", "model_state_dict", "model", "module"]

    /// Finds the table of tensors in `file`.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` that lists the entries if there is no table, or more than one.
    package init(_ file: PyTorchFile) throws(FileError) {
        var finder = TableFinder(file)
        let found = try finder.find()
        self.init(file, found.tensors, notes: found.notes)
    }

    private init(_ file: PyTorchFile, _ tensors: [String: PickledTensor], notes: [String]) {
        self.file = file
        self.tensors = tensors
        self.notes = notes
        let pickle = file.pickle
        modelArguments = pickle.entries(pickle.value(pickle.root, "model_args")).map { entries in
            var arguments: [String: Argument] = [:]
            for case (.text(let name), let value) in entries {
                switch value {
                case .integer(let value): arguments[name] = .integer(value)
                case .number(let value): arguments[name] = .number(value)
                case .bool(let value): arguments[name] = .flag(value)
                default: continue
                }
            }
            return arguments
        }
        shadow = pickle.items(pickle.value(pickle.value(pickle.root, "ema"), "shadow_params"))?.compactMap {
            if case .tensor(let tensor) = $0 { tensor } else { nil }
        }
        entries = tensors.compactMapValues { tensor in
            ElementType(storageClass: tensor.storage.type).map { TensorEntry(element: $0, shape: tensor.shape) }
        }
    }

    /// Whether the file has a moving average beside the table.
    package var hasAverage: Bool { shadow != nil }

    /// Replaces the table with the moving average.
    ///
    /// - Parameter names: names of its tensors, in order.
    /// - Throws: ``FileError`` of kind `invalidData` if there is none, or the count differs.
    package func average(names: [String]) throws(FileError) -> PyTorchContent {
        guard let shadow else {
            throw FileError(
                .invalidData, "no moving average 'ema.shadow_params'", source: path, remedy: "use --weights raw")
        }
        guard shadow.count == names.count else {
            throw FileError(
                .invalidData,
                "the moving average has \(shadow.count) tensors, the network of the configuration \(names.count)",
                source: path, remedy: "check the configuration, or use --weights raw")
        }
        return PyTorchContent(file, Dictionary(zip(names, shadow)) { $1 }, notes: notes)
    }

    package func bytes(_ name: String) throws(FileError) -> [UInt8] {
        guard let tensor = tensors[name] else {
            throw FileError(.invalidData, "no tensor '\(name)'", source: path)
        }
        return try file.bytes(tensor)
    }

    /// Whether two names are views of the same elements.
    package func areShared(_ a: String, _ b: String) -> Bool {
        guard let a = tensors[a], let b = tensors[b] else { return false }
        return a.storage == b.storage && a.offset == b.offset && a.shape == b.shape && a.strides == b.strides
    }
}

/// Finds the dictionary of named tensors in a pickle.
private struct TableFinder {
    let pickle: Pickle
    let path: String
    /// What was found for each dictionary, by its place: many entries may refer to one.
    private var known: [Int: [String: PickledTensor]?] = [:]

    init(_ file: PyTorchFile) {
        pickle = file.pickle
        path = file.path
    }

    mutating func find() throws(FileError) -> (tensors: [String: PickledTensor], notes: [String]) {
        var notes: [String] = []
        if let unknown = pickle.heap.unknown.first {
            let more = pickle.heap.unknown.count > 1 ? " and \(pickle.heap.unknown.count - 1) more" : ""
            notes.append("\(path): references \(unknown)\(more), which was not executed; only tensors are read")
        }
        var value = pickle.root
        // State dictionaries are nested at most two or three levels deep; the bound protects against cycles.
        for _ in 0..<8 {
            if let tensors = table(value) { return (tensors, notes) }
            guard let entries = pickle.entries(value), !entries.isEmpty else { break }
            let named = entries.compactMap { entry -> (name: String, value: PickleValue)? in
                if case .text(let name) = entry.key { (name, entry.value) } else { nil }
            }
            var tables: [(name: String, value: PickleValue)] = []
            for entry in named where table(entry.value) != nil { tables.append(entry) }
            let usual = tables.filter { PyTorchContent.usualNames.contains($0.name) }
            if tables.count > 1, usual.count != 1 { throw several(tables.map(\.name)) }
            if let chosen = usual.first ?? tables.first {
                if tables.count > 1 {
                    let others = tables.map(\.name).filter { $0 != chosen.name }
                    notes.append("\(path): took '\(chosen.name)'; it also holds \(listed(others))")
                }
                value = chosen.value
                continue
            }
            guard let next = named.first(where: { PyTorchContent.usualNames.contains($0.name) && isTable($0.value) })
            else { throw none(named.map { "\($0.name) (\(describe($0.value)))" }) }
            value = next.value
        }
        throw FileError(
            .invalidData, "expected a dictionary of tensors, found \(describe(pickle.root))", source: path,
            remedy: "save it with torch.save(model.state_dict(), FILE)")
    }

    /// A dictionary in which every entry is a named tensor.
    private mutating func table(_ value: PickleValue) -> [String: PickledTensor]? {
        guard case .dictionary(let place) = value else { return nil }
        if let found = known[place] { return found }
        let found = tensors(value)
        known[place] = .some(found)
        return found
    }

    private func tensors(_ value: PickleValue) -> [String: PickledTensor]? {
        guard let entries = pickle.entries(value), !entries.isEmpty else { return nil }
        var tensors: [String: PickledTensor] = [:]
        for (key, value) in entries {
            guard case .text(let name) = key, case .tensor(let tensor) = value else { return nil }
            tensors[name] = tensor
        }
        return tensors
    }

    private func isTable(_ value: PickleValue) -> Bool { pickle.entries(value) != nil }

    private func several(_ names: [String]) -> FileError {
        FileError(
            .invalidData, "several entries are tables of tensors: \(listed(names))", source: path,
            remedy: "save only the intended one, with torch.save(checkpoint['\(names.first ?? "model")'], FILE)")
    }

    private func none(_ entries: [String]) -> FileError {
        FileError(
            .invalidData, "no entry is a table of tensors; it holds \(listed(entries))", source: path,
            remedy: "save only the weights, with torch.save(model.state_dict(), FILE)")
    }

    private func listed(_ names: [String]) -> String {
        names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }

    private func describe(_ value: PickleValue) -> String {
        switch value {
        case .none: "None"
        case .bool: "a flag"
        case .integer, .number: "a number"
        case .text: "a string"
        case .bytes: "bytes"
        case .list(let place): "a list of \(pickle.heap.sequences[place].count)"
        case .tuple(let place): "a tuple of \(pickle.heap.sequences[place].count)"
        case .dictionary(let place): "a dictionary of \(pickle.heap.tables[place].count) entries"
        case .tensor(let tensor): "a tensor \(tensor.shape)"
        case .global, .storage, .opaque: "an object"
        }
    }
}
