/// What a pickle of a PyTorch file can hold here: plain data, and tensors that lie in other records.
///
/// Containers are numbers of entries in a ``PickleHeap``: values own nothing of each other, so neither a chain of a
/// million tuples nor a list that holds itself can do harm.
enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case bytes([UInt8])
    case list(Int)
    case tuple(Int)
    case dictionary(Int)
    /// A name that the pickle asks for; only a few are ever granted.
    case global(PickleName)
    /// `('storage', type, key, location, count)`.
    case storage(PickledStorage)
    case tensor(PickledTensor)
    /// What a name that is not known, or something made with it, would have been: the name, as an index into
    /// ``PickleHeap/unknown``; nil for what is known to be of no use, a NumPy number for instance.
    case opaque(Int?)
}

/// The names that are known, and carried out here instead of being called.
enum PickleName {
    case rebuildTensor, rebuildParameter, orderedDictionary
    case storage(String)
    /// What optimizers and training loops leave in a checkpoint: NumPy numbers, sizes, devices.
    case ignored
    /// Anything else: never carried out; what is made with it is ``PickleValue/opaque(_:)``.
    case unknown(Int)

    init?(module: String, name: String) {
        switch (module, name) {
        case ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch", let name) where name.hasSuffix("Storage"): self = .storage(name)
        case ("numpy._core.multiarray", "scalar"), ("numpy.core.multiarray", "scalar"), ("numpy", "dtype"),
            ("_codecs", "encode"), ("torch", "device"), ("torch", "Size"), ("builtins", "set"), ("__builtin__", "set"):
            self = .ignored
        default: return nil
        }
    }
}

/// Elements that tensors are views of.
struct PickledStorage: Equatable {
    /// The storage class, for instance `FloatStorage`.
    let type: String
    /// What names it in the file.
    let key: String
    /// Its elements, by the pickle's account.
    let count: Int
    /// Elements before it within the storage called ``key``: not 0 only where an old file made a view of it.
    var offset = 0
}

/// A view of a storage: where its elements lie.
struct PickledTensor {
    let storage: PickledStorage
    /// Elements before the first.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}

/// The containers of a pickle.
struct PickleHeap {
    var sequences: [[PickleValue]] = []
    var tables: [[(key: PickleValue, value: PickleValue)]] = []
    /// Names that were asked for and are not known, `module.name`.
    var unknown: [String] = []
    /// The storages that were named, whole, by their keys.
    var storages: [String: PickledStorage] = [:]

    mutating func add(_ sequence: [PickleValue]) -> Int {
        sequences.append(sequence)
        return sequences.count - 1
    }

    mutating func addTable() -> Int {
        tables.append([])
        return tables.count - 1
    }
}

/// A pickle that has been read.
struct Pickle {
    let root: PickleValue
    let heap: PickleHeap
    /// Where it ends, in bytes of what it was read from.
    let end: Int

    /// The entries of a dictionary, in the order of their keys' arrival; nil for anything else.
    func entries(_ value: PickleValue?) -> [(key: PickleValue, value: PickleValue)]? {
        guard case .dictionary(let place) = value else { return nil }
        return heap.tables[place]
    }

    /// The items of a list; nil for anything else.
    func items(_ value: PickleValue?) -> [PickleValue]? {
        guard case .list(let place) = value else { return nil }
        return heap.sequences[place]
    }

    /// What a dictionary holds under the text `key`; the last where it is there twice.
    func value(_ dictionary: PickleValue?, _ key: String) -> PickleValue? {
        for case (.text(key), let value) in (entries(dictionary) ?? []).reversed() { return value }
        return nil
    }
}
