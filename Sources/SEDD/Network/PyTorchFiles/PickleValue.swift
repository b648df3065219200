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
    case storage(dtype: String, key: String, count: Int)
    case tensor(PickledTensor)
    /// Something that no tensor needs, a NumPy number for instance; never looked at.
    case opaque
}

/// The names that are known, and carried out here instead of being called.
enum PickleName {
    case rebuildTensor, rebuildParameter, orderedDictionary
    case storage(String)
    /// What the reference's optimizer leaves in a checkpoint: NumPy numbers.
    case ignored

    init?(module: String, name: String) {
        switch (module, name) {
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch", let name) where name.hasSuffix("Storage"): self = .storage(name)
        case ("numpy._core.multiarray", "scalar"), ("numpy.core.multiarray", "scalar"), ("numpy", "dtype"),
            ("_codecs", "encode"):
            self = .ignored
        default: return nil
        }
    }
}

/// A view of a storage: where its elements lie.
struct PickledTensor {
    /// The storage class, for instance `FloatStorage`.
    let dtype: String
    /// The record `data/KEY`.
    let key: String
    /// Elements of the storage, by the pickle's account.
    let count: Int
    /// Elements before the first.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}

/// The containers of a pickle.
struct PickleHeap {
    var sequences: [[PickleValue]] = []
    var tables: [[(key: PickleValue, value: PickleValue)]] = []

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

    /// What a dictionary holds under the text `key`.
    func value(_ dictionary: PickleValue?, _ key: String) -> PickleValue? {
        for case (.text(key), let value) in entries(dictionary) ?? [] { return value }
        return nil
    }
}
