import Crypto
import Files
import Foundation
public import Torch

/// All weights of a network in one flat float32 tensor, with a view for each name.
///
/// With a single tensor, an optimizer step, a moving average or a gradient norm is one pass over memory.
public struct Weights: Sendable {
    /// Names, shapes and offsets of the views.
    public let layout: WeightLayout
    /// [layout.flatCount]; the gaps between tensors are zero.
    let flat: Tensor
    private let views: [String: Tensor]
    /// The same values in bfloat16, if products of the trunk round to it. Whoever changes `flat` must refresh this copy.
    let bfloat16Copy: Tensor?
    private let bfloat16Views: [String: Tensor]

    /// All weights zero.
    ///
    /// - Throws: ``SEDDError`` of kind `engine` if the machine lacks the memory: the system would grant the allocation
    ///   and kill the process once it is touched.
    init(layout: WeightLayout, device: Device = .cpu) throws {
        let bytes = layout.flatCount.multipliedReportingOverflow(by: MemoryLayout<Float>.size)
        guard
            device.kind != .cpu
                || !bytes.overflow && UInt64(bytes.partialValue) < ProcessInfo.processInfo.physicalMemory
        else {
            throw SEDDError(
                .engine,
                "\(layout.parameters) weights do not fit the \(ProcessInfo.processInfo.physicalMemory >> 20) MiB of this machine; choose a smaller model"
            )
        }
        try self.init(layout: layout, flat: Tensor.zeros([layout.flatCount], device: device), precision: .float32)
    }

    /// - Parameter copy: the bfloat16 copy, if there is one already.
    private init(layout: WeightLayout, flat: Tensor, precision: Precision, copy: Tensor? = nil) throws {
        func views(of flat: Tensor) throws -> [String: Tensor] {
            let own = try Dictionary(
                uniqueKeysWithValues: layout.entries.map {
                    ($0.name, try flat.narrowed(0, from: $0.offset, length: $0.count).reshaped($0.shape))
                })
            return own.merging(layout.aliases.compactMapValues { own[$0] }) { first, _ in first }
        }
        self.layout = layout
        self.flat = flat
        self.views = try views(of: flat)
        self.precision = precision
        bfloat16Copy = precision == .float32 ? nil : try copy ?? flat.cast(to: .bfloat16)
        bfloat16Views = try bfloat16Copy.map { try views(of: $0) } ?? [:]
    }

    /// Precision of a trunk over these weights.
    public let precision: Precision

    /// The matrix called `name` in the precision of the trunk's products, excluded from autograd.
    func matrix(_ name: String) throws -> Tensor { try bfloat16Views[name] ?? self(name).detached() }

    /// The flat tensor from the first named weight through the last, excluded from autograd.
    func stretch(_ names: (String, String)) throws -> Tensor {
        let range = try layout.range(names)
        return try flat.detached().narrowed(0, from: range.lowerBound, length: range.count)
    }

    /// The same range of the bfloat16 copy, if there is one.
    func bfloat16Range(_ names: (String, String)) throws -> Tensor? {
        let range = try layout.range(names)
        return try bfloat16Copy?.narrowed(0, from: range.lowerBound, length: range.count)
    }

    /// Updates the bfloat16 copy.
    func refreshBFloat16Copy() throws { try bfloat16Copy?.copyInPlace(flat) }

    /// The weights called `name`.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` if the layout has no such name.
    public func callAsFunction(_ name: String) throws -> Tensor {
        guard let view = views[name] else { throw SEDDError(.invalidData, "weights: no tensor is called '\(name)'") }
        return view
    }

    /// Names and tensors in layout order.
    public var named: [(name: String, tensor: Tensor)] {
        layout.entries.compactMap { entry in views[entry.name].map { (entry.name, $0) } }
    }

    /// A copy of the weights on `device`, for a trunk that computes in `precision`; either defaults to the present one.
    func copied(to device: Device? = nil, precision: Precision? = nil) throws -> Weights {
        let copy = try flat.cloned()
        return try Weights(
            layout: layout, flat: device.map { try copy.moved(to: $0) } ?? copy, precision: precision ?? self.precision)
    }

    /// Makes backward passes accumulate the gradients of these weights in `gradients`, which has the same layout.
    func collectGradients(in gradients: Weights) throws {
        for (name, weight) in named {
            try weight.requireGradient()
            try weight.accumulateGradient(into: gradients(name))
        }
    }

    /// The same numbers under tensors of their own, whose gradients are collected in `gradients`.
    func sharing(collectingIn gradients: Weights) throws -> Weights {
        let shared = try Weights(layout: layout, flat: flat.detached(), precision: precision, copy: bfloat16Copy)
        try shared.collectGradients(in: gradients)
        return shared
    }

    /// The first 64 bits of a SHA-256 digest of all values.
    package func fingerprint() throws -> String {
        SHA256.hash(data: try flat.moved(to: .cpu).bytes()).prefix(8).map { String(format: "%02x", $0) }.joined()
    }

    /// Overwrites the weights with those of `other`, which has the same layout.
    func load(copying other: Weights) throws {
        try flat.copyInPlace(other.flat)
        try refreshBFloat16Copy()
    }

    /// The reference's initialization: linear layers and the embedding uniform in ±1/sqrt(inputs), norm gains 1 and
    /// biases 0, all adaLN layers and the final linear layer 0. Each value is a function of (seed, position of the
    /// name, index).
    func initialize(seed: UInt64) throws {
        let stream = RandomStream(seed: seed, purpose: .initialization)
        var inputs = 1
        for (place, entry) in layout.entries.enumerated() {
            if entry.name.contains("norm") {
                try self(entry.name).copyInPlace(Tensor.full([], entry.name.hasSuffix(".bias") ? 0 : 1))
                continue
            }
            if entry.shape.count == 2 { inputs = entry.shape[1] }
            let zero = entry.name.contains("adaLN_modulation") || entry.name.hasPrefix("output_layer.linear")
            if zero { continue }
            let bound = Float(1 / Double(inputs).squareRoot())
            let values = (0..<entry.count).map { index in
                bound * Float(2 * stream.uniform(step: 0, sequence: place, position: index) - 1)
            }
            try self(entry.name).copyInPlace(Tensor(values, shape: entry.shape))
        }
        try refreshBFloat16Copy()
    }
}
