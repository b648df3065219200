/// A value in a pickle of a PyTorch file: plain data, or a tensor stored in other records.
///
/// Containers are indices into a ``PickleHeap``: values do not own one another, so neither a chain of a million tuples
/// nor a self-referential list causes deep recursion.
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
    /// A global name referenced by the pickle; only a few are recognized.
    case global(PickleName)
    /// `('storage', type, key, location, count)`.
    case storage(PickledStorage)
    case tensor(PickledTensor)
    /// The result of an unknown name, or of using it: an index into ``PickleHeap/unknown``; nil for values known to be
    /// irrelevant, for instance NumPy numbers.
    case opaque(Int?)
}

/// The recognized global names, whose effect is implemented here.
enum PickleName {
    case rebuildTensor, rebuildParameter, orderedDictionary
    case storage(String)
    /// Values that optimizers and training loops leave in a checkpoint: NumPy numbers, sizes, devices.
    case ignored
    /// Anything else: never executed; its results are ``PickleValue/opaque(_:)``.
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

/// A storage, of which tensors are views.
struct PickledStorage: Equatable {
    /// The storage class, for instance `FloatStorage`.
    let type: String
    /// Its key in the file.
    let key: String
    /// Number of elements, according to the pickle.
    let count: Int
    /// Offset within the storage called ``key``, in elements; nonzero only for views in old files.
    var offset = 0
}

/// A view of a storage.
struct PickledTensor {
    let storage: PickledStorage
    /// Offset of the first element.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}

/// The containers of a pickle.
struct PickleHeap {
    var sequences: [[PickleValue]] = []
    var tables: [[(key: PickleValue, value: PickleValue)]] = []
    /// Referenced names that are not recognized, `module.name`.
    var unknown: [String] = []
    /// Whole storages by key.
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
    /// End of the pickle, in bytes from the start of its input.
    let end: Int

    /// The entries of a dictionary, in insertion order of their keys; nil for anything else.
    func entries(_ value: PickleValue?) -> [(key: PickleValue, value: PickleValue)]? {
        guard case .dictionary(let place) = value else { return nil }
        return heap.tables[place]
    }

    /// The items of a list; nil for anything else.
    func items(_ value: PickleValue?) -> [PickleValue]? {
        guard case .list(let place) = value else { return nil }
        return heap.sequences[place]
    }

    /// The value of `key` in a dictionary; the last one if the key is repeated.
    func value(_ dictionary: PickleValue?, _ key: String) -> PickleValue? {
        for case (.text(key), let value) in (entries(dictionary) ?? []).reversed() { return value }
        return nil
    }
}
