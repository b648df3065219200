import Files
import Foundation
import TensorFiles
import Torch

/// Maps each weight of a network to a tensor of a file.
struct WeightMap {
    /// A tensor of the file.
    struct Source {
        let name: String
        /// Whether the file stores [out, in] where the layout has [in, out].
        var isTransposed = false
    }

    let file: WeightFile
    /// Sources by layout name, including tensors of the file that the layout does not have.
    var sources: [String: Source]
    /// Weights that are absent from the file because they are zero.
    var zeros: Set<String> = []

    /// The tensors of `file` under their own names; buffers that can be recomputed are skipped.
    init(_ file: WeightFile) {
        self.file = file
        sources = Dictionary(uniqueKeysWithValues: file.entries.keys.map { ($0, Source(name: $0)) })
        sources["rotary_emb.inv_freq"] = nil
    }

    /// Checks names, shapes and element types, and that the file is about as large as `layout` requires: nothing of the
    /// layout's size is allocated before this check.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that lists the first five differences, expected and found.
    func requireMatch(_ layout: WeightLayout) throws(SEDDError) {
        var differences: [String] = []
        for entry in layout.entries where !zeros.contains(entry.name) {
            guard let found = described(entry.name) else {
                differences.append("\(entry.name): expected \(entry.shape), found none")
                continue
            }
            if found.shape != entry.shape {
                differences.append("\(entry.name): expected \(entry.shape), found \(found.shape)")
            } else if !found.element.isFloatingPoint {
                differences.append("\(entry.name): expected a floating point type, found \(found.element)")
            }
        }
        let known = Set(layout.entries.map(\.name))
        differences += Set(sources.keys).subtracting(known).sorted().map { "\($0): expected none, found one" }
        guard differences.isEmpty else {
            let more = differences.count > 5 ? "; and \(differences.count - 5) more" : ""
            throw SEDDError(
                .invalidData,
                "\(file.path): the weights do not match the configuration: "
                    + differences.prefix(5).joined(separator: "; ") + more)
        }
        guard layout.parameters <= file.bytesOnDisk else {
            throw SEDDError(
                .invalidData,
                "\(file.path): \(layout.parameters) weights in a file of \(file.bytesOnDisk) bytes: some of its tensors share storage; save them as separate tensors"
            )
        }
    }

    /// Shape and type of the weight called `name` in the layout's orientation; nil if there is none.
    private func described(_ name: String) -> TensorEntry? {
        guard let source = sources[name], let found = file.entries[source.name] else { return nil }
        return source.isTransposed
            ? TensorEntry(element: found.element, shape: found.shape.reversed()) : found
    }

    /// The weight called `name`.
    func tensor(_ name: String) throws -> Tensor {
        guard let source = sources[name], let found = file.entries[source.name] else {
            throw SEDDError(.invalidData, "\(file.path): no tensor '\(name)'")
        }
        let tensor = try found.tensor(file.bytes(source.name), name: source.name, path: file.path)
        return source.isTransposed ? try tensor.transposed(0, 1) : tensor
    }
}

extension Weights {
    /// Reads the weights of a file, converted to float32.
    ///
    /// - Throws: ``SEDDError`` or `FileError` of kind `invalidData` that names the file and what differs.
    init(_ layout: WeightLayout, _ map: WeightMap) throws {
        try map.requireMatch(layout)
        try self.init(layout: layout)
        try load(map)
    }

    /// Overwrites the weights with those of a file.
    ///
    /// - Throws: ``SEDDError`` or `FileError` that names the file and what differs.
    func load(_ url: URL) throws { try load(WeightMap(WeightFile(url))) }

    /// Overwrites the weights with those of a file, converted to float32.
    func load(_ map: WeightMap) throws {
        try map.requireMatch(layout)
        for entry in layout.entries where !map.zeros.contains(entry.name) {
            try self(entry.name).copyInPlace(map.tensor(entry.name))
        }
        try refreshBFloat16Copy()
    }

    /// The weights on `device`, for a trunk that computes in `precision`; without a copy if nothing changes.
    func moved(to device: Device, _ precision: Precision = .float32) throws -> Weights {
        try flat.device == device && precision == self.precision ? self : copied(to: device, precision: precision)
    }
}
