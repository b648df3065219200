import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

struct OptimizerTests {
    enum Model: String, CaseIterable, Sendable {
        case diffusion, autoregressive
    }

    private func layout(_ model: Model) -> WeightLayout {
        switch model {
        case .diffusion: WeightLayout(smallConfiguration())
        case .autoregressive:
            WeightLayout(
                AutoregressiveConfiguration(
                    tokens: 11, endOfText: nil, hiddenSize: 32, length: 12, nBlocks: 2, nHeads: 2, dropout: 0))
        }
    }

    private func filled(_ layout: WeightLayout, seed: UInt64) throws -> Weights {
        let weights = try Weights(layout: layout)
        let stream = RandomStream(seed: seed, purpose: .initialization)
        for (place, entry) in layout.entries.enumerated() {
            let values = (0..<entry.count).map {
                Float(2 * stream.uniform(step: 0, sequence: place, position: $0) - 1)
            }
            try weights(entry.name).copyInPlace(Tensor(values, shape: entry.shape))
        }
        return weights
    }

    private func configuration(_ kind: TrainingConfiguration.Optimizer.Kind, decay: Double) -> TrainingConfiguration {
        var made = TrainingConfiguration()
        made.optim.type = kind
        (made.optim.lr, made.optim.weightDecay, made.optim.warmup) = (0.01, decay, 0)
        made.optim.gradClip = 0
        return made
    }

    @Test(arguments: Model.allCases) func rolesOfAllTensors(_ model: Model) {
        let roles = Dictionary(uniqueKeysWithValues: layout(model).entries.map { ($0.name, $0.role) })
        func hidden(_ name: String) -> Bool { if case .hiddenMatrix = roles[name] { true } else { false } }
        switch model {
        case .diffusion:
            for part in ["attn_qkv.weight", "attn_out.weight", "mlp.0.weight", "mlp.2.weight"] {
                #expect(hidden("blocks.1.\(part)"))
            }
            #expect(roles["blocks.0.attn_qkv.weight"] == .hiddenMatrix(.init(parts: 3)))
            for part in ["sigma_map.mlp.0.weight", "blocks.0.adaLN_modulation.weight", "output_layer.linear.weight"] {
                #expect(roles[part] == .matrix, "\(part)")
            }
            #expect(roles["vocab_embed.embedding"] == .embedding)
            #expect(roles["blocks.0.norm1.weight"] == .vector && roles["output_layer.linear.bias"] == .vector)
        case .autoregressive:
            for part in ["attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight"] {
                #expect(hidden("transformer.h.1.\(part)"))
            }
            #expect(
                roles["transformer.h.0.attn.c_attn.weight"] == .hiddenMatrix(.init(parts: 3, outputsAreRows: false)))
            #expect(roles["transformer.wte.weight"] == .embedding && roles["transformer.wpe.weight"] == .embedding)
            #expect(roles["transformer.h.0.ln_1.weight"] == .vector)
        }
    }

    /// Muon's step of each matrix alone, outputs as rows; queries, keys and values apart. AdamW's first step is -lr sign(g).
    @Test(arguments: Model.allCases) func everyTensorIsMovedByItsOwnRule(_ model: Model) throws {
        let configuration = configuration(.muon, decay: 0)
        let weights = try filled(layout(model), seed: 1)
        var state = try TrainingState(weights, configuration.optim)
        let before = try weights.copied()
        try state.gradients.flat.copyInPlace(filled(weights.layout, seed: 2).flat)
        try OptimizerStep(configuration).apply(&state, gradientNorm: 1)
        for entry in weights.layout.entries {
            let (old, new) = (try before(entry.name).detached(), try state.weights(entry.name).detached())
            let gradient = try state.gradients(entry.name)
            let moved = try (new - old).cast(to: .float64)
            guard case .hiddenMatrix(let form) = entry.role else {
                let expected = try gradient.array(Float.self).map { $0 == 0 ? 0 : -0.01 * Double($0).sign.factor }
                let difference = Difference(try moved.array(), expected)
                #expect(difference.absolute < 2e-6, "\(entry.name): \(difference)")
                continue
            }
            let dimension = form.outputsAreRows ? 0 : 1
            let outputs = entry.shape[dimension] / form.parts
            for part in 0..<form.parts {
                func cut(_ x: Tensor) throws -> Tensor {
                    let piece = try x.narrowed(dimension, from: part * outputs, length: outputs)
                    return try (form.outputsAreRows ? piece : piece.transposed(0, 1)).contiguous()
                }
                let direction = try Kernels.orthogonalised(cut(gradient).cast(to: .float64).unsqueezed(0))
                let inputs = entry.shape[1 - dimension]
                let factor = max(1, Double(outputs) / Double(inputs)).squareRoot()
                let expected = try (direction * (-configuration.optim.muonLr * factor)).array(Double.self)
                let difference = Difference(try cut(moved).array(), expected)
                #expect(difference.absolute < 2e-6, "\(entry.name), part \(part): \(difference)")
            }
        }
        let average = try Difference(
            state.average.flat.array(), (before.flat * (2.0 / 11) + state.weights.flat * (9.0 / 11)).array())
        #expect(average.absolute < 1e-6, "the average follows: \(average)")
    }

    @Test(arguments: Model.allCases, TrainingConfiguration.Optimizer.Kind.allCases)
    func decayIsOfMatricesAlone(_ model: Model, _ kind: TrainingConfiguration.Optimizer.Kind) throws {
        let configuration = configuration(kind, decay: 0.5)
        let weights = try filled(layout(model), seed: 1)
        var state = try TrainingState(weights, configuration.optim)
        let before = try weights.copied()
        try OptimizerStep(configuration).apply(&state, gradientNorm: 1)
        for entry in weights.layout.entries {
            let muon = if case .hiddenMatrix = entry.role { kind == .muon } else { false }
            let kept = entry.role.decays ? 1 - 0.5 * (muon ? configuration.optim.muonLr : configuration.optim.lr) : 1
            let difference = try Difference(
                state.weights(entry.name).detached().array(), (before(entry.name).detached() * kept).array())
            #expect(difference.absolute < 1e-7, "\(entry.name): \(difference)")
        }
        #expect(weights.layout.entries.filter(\.role.decays).count >= 8)
    }

    @Test(arguments: Model.allCases) func slotsCoverEachTensorOnce(_ model: Model) {
        let layout = layout(model)
        let slots = Dictionary(uniqueKeysWithValues: OptimizerPlan.slots(.muon, layout).map { ($0.name, $0.layout) })
        #expect(slots["moment1"]?.entries.map(\.name) == slots["moment2"]?.entries.map(\.name))
        let names = (slots["moment1"]?.entries ?? []).map(\.name) + (slots["momentum"]?.entries ?? []).map(\.name)
        #expect(names.sorted() == layout.entries.map(\.name).sorted())
        #expect(OptimizerPlan.slots(.adamw, layout).map(\.name) == ["moment1", "moment2"])
    }

    /// A run with everything that has a state or follows the step: Muon, wsd, a density, a horizon.
    @Test(arguments: Model.allCases) func stoppedAndResumedEqualsUninterrupted(_ model: Model) throws {
        let setting = try TrainingTests.Setting()
        setting.configuration.model.type = model == .diffusion ? .diffusion : .autoregressive
        setting.configuration.optim.type = .muon
        setting.configuration.optim.schedule = .wsd
        setting.configuration.optim.decay = 0.5
        setting.configuration.optim.weightDecay = 0.01
        setting.configuration.training.emaHorizon = 0.3
        setting.configuration.training.timeDensity.type = .normal
        setting.configuration.training.timeDensity.correction = .root
        setting.configuration.training.lossWeight = .time
        let (whole, _) = try setting.trainer("whole")
        try whole.train { _ in }
        let (first, run) = try setting.trainer("parts")
        var step = 0
        _ = try? first.train(shouldStop: { step >= 7 }) { if case .step(let metrics) = $0 { step = metrics.step } }
        let stopped = try #require(run.checkpoints.steps().last)
        #expect(stopped > 3 && stopped < 12, "stopped on the way, at step \(stopped)")
        let (second, _) = try setting.trainer("parts", create: false)
        try second.train { _ in }
        for (a, b) in [(whole.averaged.weights, second.averaged.weights), (whole.weights, second.weights)] {
            #expect(try a.flat.bytes() == b.flat.bytes(), "the same to the byte")
        }
    }

    @Test(
        arguments: [(.adamw, .muon), (.muon, .adamw)]
            as [(TrainingConfiguration.Optimizer.Kind, TrainingConfiguration.Optimizer.Kind)])
    func anotherOptimizerIsRefusedOnResume(
        _ first: TrainingConfiguration.Optimizer.Kind, _ second: TrainingConfiguration.Optimizer.Kind
    ) throws {
        let setting = try TrainingTests.Setting()
        setting.configuration.optim.type = first
        try setting.trainer("run").0.train { _ in }
        setting.configuration.optim.type = second
        setting.configuration.training.nIters += 2
        let (again, _) = try setting.trainer("run", create: false)
        let error = #expect(throws: SEDDError.self) { try again.train { _ in } }
        #expect(error?.kind == .usage)
        #expect(error?.description.contains("continue with the optim.type that the run was started with") == true)
    }

    @Test func divergenceUnderMuonNamesItsRate() throws {
        let setting = try TrainingTests.Setting()
        setting.configuration.optim.type = .muon
        let (trainer, run) = try setting.trainer("nan")
        let error = #expect(throws: SEDDError.self) {
            try trainer.train { event in
                guard case .checkpoint(4, _) = event else { return }
                try trainer.weights("blocks.0.mlp.0.weight").copyInPlace(Tensor.full([], .nan))
            }
        }
        #expect(error?.kind == .diverged)
        let text = error?.description ?? ""
        #expect(text.contains("optim.muon_lr") && !text.contains("\n"), "\(text)")
        #expect(run.checkpoints.steps().last == 4, "the last good checkpoint is kept")
    }
}

extension FloatingPointSign {
    fileprivate var factor: Double { self == .minus ? -1 : 1 }
}
