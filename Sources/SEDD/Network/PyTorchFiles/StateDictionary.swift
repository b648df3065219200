import Files
import Foundation
import Torch

/// The named tensors of a PyTorch file: `pytorch_model.bin`, or the reference's `checkpoint.pth`.
struct StateDictionary {
    let names: [String]
    private let tensors: [String: PickledTensor]
    private let archive: PyTorchArchive

    /// Reads a file that holds one dictionary of tensors.
    ///
    /// - Throws: ``SEDDError`` or `TorchError`, naming the file and what is wrong with it.
    init(contentsOf url: URL) throws {
        let archive = try PyTorchArchive(contentsOf: url)
        guard let entries = archive.pickle.entries(archive.pickle.root) else {
            throw SEDDError(.invalidData, "\(url.path): expected a dictionary of tensors; save model.state_dict()")
        }
        try self.init(entries, archive)
    }

    /// Reads the reference's training checkpoint.
    ///
    /// Its moving average is a list without names, in the order in which the reference registers its parameters:
    /// that of `layout`.
    init(checkpoint url: URL, choice: Conversion.Choice, layout: WeightLayout) throws {
        let archive = try PyTorchArchive(contentsOf: url)
        let pickle = archive.pickle
        guard let model = pickle.entries(pickle.value(pickle.root, "model")) else {
            throw SEDDError(
                .invalidData,
                "\(url.path): expected a training checkpoint with 'model' and 'ema'; for plain weights name the file pytorch_model.bin"
            )
        }
        guard choice == .average else {
            try self.init(model, archive)
            return
        }
        guard let shadow = pickle.items(pickle.value(pickle.value(pickle.root, "ema"), "shadow_params")) else {
            throw SEDDError(.invalidData, "\(url.path): no moving average 'ema.shadow_params'; use --weights raw")
        }
        guard shadow.count == layout.entries.count else {
            throw SEDDError(
                .invalidData,
                "\(url.path): the moving average has \(shadow.count) tensors, the configuration \(layout.entries.count)"
            )
        }
        try self.init(zip(layout.entries, shadow).map { (.text($0.name), $1) }, archive)
    }

    private init(_ entries: [(key: PickleValue, value: PickleValue)], _ archive: PyTorchArchive) throws {
        // What training in several processes puts before every name.
        let prefix = "module."
        var tensors: [String: PickledTensor] = [:]
        var names: [String] = []
        for (key, value) in entries {
            guard case .text(let whole) = key, case .tensor(let tensor) = value else {
                throw SEDDError(.invalidData, "\(archive.path): an entry is no named tensor; save model.state_dict()")
            }
            let name = whole.hasPrefix(prefix) ? String(whole.dropFirst(prefix.count)) : whole
            names.append(name)
            tensors[name] = tensor
        }
        self.names = names
        self.tensors = tensors
        self.archive = archive
    }

    func shape(_ name: String) throws -> [Int] { try entry(name).shape }

    /// The tensor called `name`.
    func tensor(_ name: String) throws -> Tensor { try archive.tensor(entry(name)) }

    private func entry(_ name: String) throws -> PickledTensor {
        guard let entry = tensors[name] else { throw SEDDError(.invalidData, "\(archive.path): no tensor '\(name)'") }
        return entry
    }
}
