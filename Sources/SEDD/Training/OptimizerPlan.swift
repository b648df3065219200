import Files
import Torch

/// Assigns weights to kernels: AdamW processes ranges of the flat arrays, Muon processes matrices of one shape
/// together.
///
/// All tensors are views of the arrays of a ``TrainingState``.
struct OptimizerPlan: Sendable {
    /// A range of the arrays that AdamW processes in one pass.
    struct Sweep: Sendable {
        let weights, gradient, moment1, moment2, average: Tensor
        /// bfloat16 copies of weights and average that the sweep updates: those of trunks on CUDA devices.
        let copies: (weights: Tensor?, average: Tensor?)
        /// Whether weight decay applies.
        let decays: Bool
    }

    let sweeps: [Sweep]
    /// Groups of matrices of one shape.
    let matrices: [[Kernels.MuonMatrix]]

    /// Names of the optimizer's arrays, each with the tensors that it covers.
    ///
    /// - Parameter frozen: names of tensors not to train.
    static func slots(
        _ kind: TrainingConfiguration.Optimizer.Kind, _ layout: WeightLayout, frozen: Set<String> = []
    ) -> [(name: String, layout: WeightLayout)] {
        let moved = layout.filtered { !frozen.contains($0.name) }
        let muon = moved.filtered { takesMuon($0, kind) }
        let adamW = moved.filtered { !takesMuon($0, kind) }
        let moments = [("moment1", adamW), ("moment2", adamW)]
        return kind == .muon ? moments + [("momentum", muon)] : moments
    }

    init(
        _ optim: TrainingConfiguration.Optimizer, weights: Weights, gradients: Weights, average: Weights,
        slots: [String: Weights], frozen: Set<String> = []
    ) throws {
        var sweeps: [Sweep] = []
        var matrices: [(shape: [Int], matrix: Kernels.MuonMatrix)] = []
        for run in Self.runs(weights.layout, optim, frozen) {
            guard run.takesMuon else {
                let names = (run.entries[0].name, run.entries[run.entries.count - 1].name)
                func stretch(_ name: String) throws -> Tensor {
                    guard let slot = slots[name] else {
                        throw SEDDError(.invalidData, "optimizer: the array '\(name)' is missing")
                    }
                    return try slot.stretch(names)
                }
                sweeps.append(
                    Sweep(
                        weights: try weights.stretch(names), gradient: try gradients.stretch(names),
                        moment1: try stretch("moment1"), moment2: try stretch("moment2"),
                        average: try average.stretch(names),
                        copies: weights.precision == .bf16
                            ? (try weights.bfloat16Range(names), try average.bfloat16Range(names)) : (nil, nil),
                        decays: run.decays))
                continue
            }
            guard let momentum = slots["momentum"] else {
                throw SEDDError(.invalidData, "optimizer: the array 'momentum' is missing")
            }
            for entry in run.entries {
                matrices += try Self.matrices(
                    entry, weights: weights, gradients: gradients, momentum: momentum, average: average)
            }
        }
        self.sweeps = sweeps
        var groups: [[Kernels.MuonMatrix]] = []
        var places: [[Int]: Int] = [:]
        for (shape, matrix) in matrices {
            if let place = places[shape] {
                groups[place].append(matrix)
            } else {
                places[shape] = groups.count
                groups.append([matrix])
            }
        }
        self.matrices = groups
    }

    /// Consecutive tensors that are treated alike.
    private struct Run {
        let takesMuon, decays: Bool
        var entries: [WeightLayout.Entry]
    }

    private static func takesMuon(_ entry: WeightLayout.Entry, _ kind: TrainingConfiguration.Optimizer.Kind) -> Bool {
        guard kind == .muon, case .hiddenMatrix = entry.role else { return false }
        return true
    }

    private static func runs(
        _ layout: WeightLayout, _ optim: TrainingConfiguration.Optimizer, _ frozen: Set<String>
    ) -> [Run] {
        var isBroken = true
        return layout.entries.reduce(into: []) { runs, entry in
            guard !frozen.contains(entry.name) else {
                isBroken = true
                return
            }
            defer { isBroken = false }
            let muon = takesMuon(entry, optim.type)
            // Without weight decay, the distinction is irrelevant.
            let decays = optim.weightDecay > 0 && entry.role.decays
            if !isBroken, let last = runs.indices.last, runs[last].takesMuon == muon, runs[last].decays == decays {
                runs[last].entries.append(entry)
            } else {
                runs.append(Run(takesMuon: muon, decays: decays, entries: [entry]))
            }
        }
    }

    /// The matrices of one tensor: queries, keys and values are orthogonalized separately.
    private static func matrices(
        _ entry: WeightLayout.Entry, weights: Weights, gradients: Weights, momentum: Weights, average: Weights
    ) throws -> [(shape: [Int], matrix: Kernels.MuonMatrix)] {
        guard case .hiddenMatrix(let form) = entry.role else { return [] }
        let outputs = form.outputsAreRows ? 0 : 1
        var shape = entry.shape
        shape[outputs] /= form.parts
        let factor = max(1, Double(shape[outputs]) / Double(shape[1 - outputs])).squareRoot()
        return try (0..<form.parts).map { part in
            func view(_ arrays: Weights) throws -> Tensor {
                try arrays(entry.name).detached()
                    .narrowed(outputs, from: part * shape[outputs], length: shape[outputs])
            }
            return (
                shape,
                Kernels.MuonMatrix(
                    weights: try view(weights), gradient: try view(gradients), momentum: try view(momentum),
                    average: try view(average), factor: factor)
            )
        }
    }
}
