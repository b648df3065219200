/// What a pickle of a PyTorch file can hold here: plain data, and tensors that lie in other records.
indirect enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case bytes([UInt8])
    case list(PickleBox)
    case tuple([PickleValue])
    case dictionary(PickleTable)
    /// A name that the pickle asks for; only the few that build tensors are ever granted.
    case global(module: String, name: String)
    /// `('storage', type, key, location, count)`.
    case storage(dtype: String, key: String, count: Int)
    case tensor(PickledTensor)
}

/// A list that grows while the pickle is read.
final class PickleBox {
    var items: [PickleValue] = []
}

/// A dictionary that grows while the pickle is read, in the order of its keys' arrival.
final class PickleTable {
    var entries: [(key: PickleValue, value: PickleValue)] = []

    /// The value under the text `key`.
    subscript(_ key: String) -> PickleValue? {
        for case (.text(key), let value) in entries { return value }
        return nil
    }
}

/// A view of a storage: where its elements lie.
struct PickledTensor {
    /// The storage class, for instance `FloatStorage`.
    let dtype: String
    /// The record `data/KEY`.
    let key: String
    /// Elements before the first.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}
