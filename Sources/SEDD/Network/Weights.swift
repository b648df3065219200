import Files
import Foundation
public import Torch

/// All weights of a network in one flat float32 array, and a view of it for each name.
///
/// One array makes an optimizer step, a moving average and a gradient norm one sweep over memory.
public struct Weights: Sendable {
    public let layout: WeightLayout
    /// [layout.flatCount]; the gaps between tensors are zero.
    let flat: Tensor
    private let views: [String: Tensor]
    /// The same numbers in bfloat16, where the trunk computes in it. Whatever changes `flat` brings them up to date.
    let halved: Tensor?
    private let halvedViews: [String: Tensor]

    /// All zero.
    ///
    /// - Throws: ``SEDDError`` of kind `engine` where the machine has not the memory for them: the system would grant it, and end
    ///   the process as it is used.
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

    private init(layout: WeightLayout, flat: Tensor, precision: Precision) throws {
        func views(of flat: Tensor) throws -> [String: Tensor] {
            try Dictionary(
                uniqueKeysWithValues: layout.entries.map {
                    ($0.name, try flat.narrowed(0, from: $0.offset, length: $0.count).reshaped($0.shape))
                })
        }
        self.layout = layout
        self.flat = flat
        self.views = try views(of: flat)
        self.precision = precision
        halved = precision == .bf16 ? try flat.cast(to: .bfloat16) : nil
        halvedViews = try halved.map { try views(of: $0) } ?? [:]
    }

    /// What a trunk over these weights computes in.
    public let precision: Precision

    /// The matrix called `name` as the trunk's products take it, not recorded.
    func matrix(_ name: String) throws -> Tensor { try halvedViews[name] ?? self(name).detached() }

    /// The flat array from the first name to the last, not recorded.
    func stretch(_ names: (String, String)) throws -> Tensor {
        let range = try layout.range(names)
        return try flat.detached().narrowed(0, from: range.lowerBound, length: range.count)
    }

    /// The same of the bfloat16 numbers, where there are any.
    func halvedStretch(_ names: (String, String)) throws -> Tensor? {
        let range = try layout.range(names)
        return try halved?.narrowed(0, from: range.lowerBound, length: range.count)
    }

    /// Brings the bfloat16 numbers up to date.
    func refreshHalved() throws { try halved?.copyInPlace(flat) }

    /// The weights called `name`.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` where the layout has no such name.
    public func callAsFunction(_ name: String) throws -> Tensor {
        guard let view = views[name] else { throw SEDDError(.invalidData, "weights: no tensor is called '\(name)'") }
        return view
    }

    /// Name and tensor in the order of the layout.
    public var named: [(name: String, tensor: Tensor)] {
        layout.entries.compactMap { entry in views[entry.name].map { (entry.name, $0) } }
    }

    /// The same numbers in an array of their own, on `device`, for a trunk that computes in `precision`; as before where
    /// they are not named.
    func copied(to device: Device? = nil, precision: Precision? = nil) throws -> Weights {
        let copy = try flat.cloned()
        return try Weights(
            layout: layout, flat: device.map { try copy.moved(to: $0) } ?? copy, precision: precision ?? self.precision)
    }

    /// Overwrites the numbers with those of `other`, which has the same layout.
    func load(copying other: Weights) throws {
        try flat.copyInPlace(other.flat)
        try refreshHalved()
    }

    /// First values as the reference draws them: linear layers and the embedding uniform in ±1/sqrt(inputs), norms 1,
    /// every adaLN layer and the final linear layer 0. Each number is a function of (seed, name's place, its index).
    func initialize(seed: UInt64) throws {
        let stream = RandomStream(seed: seed, purpose: .initialization)
        var inputs = 1
        for (place, entry) in layout.entries.enumerated() {
            if entry.name.contains("norm") {
                try self(entry.name).copyInPlace(Tensor.full([], 1))
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
        try refreshHalved()
    }
}
