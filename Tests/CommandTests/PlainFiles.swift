import Foundation
import Testing

/// Safetensors files written and read without the package's own code.
enum PlainSafetensors {
    struct Entry {
        let name: String
        let dtype: String
        let shape: [Int]
        let bytes: Data
    }

    static func floats(_ name: String, _ values: [Float], _ shape: [Int]) -> Entry {
        Entry(name: name, dtype: "F32", shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }

    static func integers(_ name: String, _ values: [Int64], _ shape: [Int]) -> Entry {
        Entry(name: name, dtype: "I64", shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }

    static func data(_ entries: [Entry]) throws -> Data {
        var header: [String: Any] = [:]
        var payload = Data()
        for entry in entries {
            let end = payload.count + entry.bytes.count
            header[entry.name] = ["dtype": entry.dtype, "shape": entry.shape, "data_offsets": [payload.count, end]]
            payload += entry.bytes
        }
        let json = try JSONSerialization.data(withJSONObject: header)
        return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json + payload
    }

    static func read(_ file: URL) throws -> [String: Entry] {
        let data = try Data(contentsOf: file)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: Any])
        var entries: [String: Entry] = [:]
        for (name, value) in header where name != "__metadata__" {
            let fields = try #require(value as? [String: Any])
            let offsets = try #require(fields["data_offsets"] as? [Int])
            entries[name] = Entry(
                name: name, dtype: try #require(fields["dtype"] as? String),
                shape: try #require(fields["shape"] as? [Int]),
                bytes: Data(data.dropFirst(8 + length)[(8 + length + offsets[0])..<(8 + length + offsets[1])]))
        }
        return entries
    }
}

/// A zip archive of stored records, like PyTorch's files; without checksums, which its reader ignores.
enum PlainZip {
    static func data(_ records: [(name: String, bytes: [UInt8])]) -> Data {
        func number(_ value: Int, _ width: Int) -> [UInt8] {
            (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for (name, bytes) in records {
            let common =
                number(0, 2) + number(0, 2) + number(0, 4) + number(0, 4) + number(bytes.count, 4)
                + number(bytes.count, 4) + number(name.utf8.count, 2) + number(0, 2)
            let offset = file.count
            file += [80, 75, 3, 4] + number(20, 2) + common + Array(name.utf8) + bytes
            directory +=
                [80, 75, 1, 2] + number(20, 2) + number(20, 2) + common + number(0, 2) + number(0, 2) + number(0, 2)
                + number(0, 4) + number(offset, 4) + Array(name.utf8)
        }
        let end =
            [80, 75, 5, 6] + number(0, 4) + number(records.count, 2) + number(records.count, 2)
            + number(directory.count, 4) + number(file.count, 4) + number(0, 2)
        return Data(file + directory + end)
    }

    /// A PyTorch file around one pickle.
    static func checkpoint(pickle: [UInt8]) -> Data {
        data([("archive/data.pkl", pickle), ("archive/version", Array("3\n".utf8)), ("archive/data/0", [0, 0, 0, 0])])
    }
}
