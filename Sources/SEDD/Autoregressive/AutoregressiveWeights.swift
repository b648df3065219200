import Foundation
import Torch

extension WeightLayout {
    /// GPT-2's tensors by their released names. Linear layers are stored [in, out].
    init(_ configuration: AutoregressiveConfiguration) {
        let (d, inner) = (configuration.hiddenSize, configuration.mlpWidth)
        var shapes: [(name: String, shape: [Int])] = [
            ("transformer.wte.weight", [configuration.vocabularySize, d]),
            ("transformer.wpe.weight", [configuration.length, d]),
        ]
        for block in 0..<configuration.nBlocks {
            let prefix = "transformer.h.\(block)."
            shapes += [
                (prefix + "ln_1.weight", [d]), (prefix + "ln_1.bias", [d]),
                (prefix + "attn.c_attn.weight", [d, 3 * d]), (prefix + "attn.c_attn.bias", [3 * d]),
                (prefix + "attn.c_proj.weight", [d, d]), (prefix + "attn.c_proj.bias", [d]),
                (prefix + "ln_2.weight", [d]), (prefix + "ln_2.bias", [d]),
                (prefix + "mlp.c_fc.weight", [d, inner]), (prefix + "mlp.c_fc.bias", [inner]),
                (prefix + "mlp.c_proj.weight", [inner, d]), (prefix + "mlp.c_proj.bias", [d]),
            ]
        }
        shapes += [("transformer.ln_f.weight", [d]), ("transformer.ln_f.bias", [d])]
        if configuration.tiesHead == false {
            shapes.append((AutoregressiveNetwork.headName, [configuration.vocabularySize, d]))
        }
        self.init(shapes)
    }
}

extension Weights {
    /// GPT-2's initialization: normal with standard deviation 0.02, divided by sqrt(2 blocks) for layers that write to
    /// the residual stream; norm gains 1, biases 0. Each value is a function of (seed, position of the name, index).
    func initializeAutoregressive(seed: UInt64, blocks: Int) throws {
        let stream = RandomStream(seed: seed, purpose: .initialization)
        for (place, entry) in layout.entries.enumerated() {
            let target = try self(entry.name)
            if entry.name.hasSuffix(".bias") { continue }
            if entry.name.contains(".ln_") {
                try target.copyInPlace(Tensor.full([], 1))
                continue
            }
            let deviation = 0.02 / (entry.name.hasSuffix("c_proj.weight") ? (2 * Double(blocks)).squareRoot() : 1)
            let values = (0..<entry.count).map { index -> Float in
                // Box-Muller transform of two uniform numbers.
                let radius = (-2 * log(stream.uniform(step: 0, sequence: place, position: index))).squareRoot()
                return Float(
                    deviation * radius
                        * cos(2 * .pi * stream.uniform(step: 0, sequence: place, position: index, draw: 1)))
            }
            try target.copyInPlace(Tensor(values, shape: entry.shape))
        }
    }
}
