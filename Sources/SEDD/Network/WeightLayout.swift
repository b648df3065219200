import Files

/// Names and shapes of a network's weights, in the order in which the reference registers them.
///
/// The reference stores its moving average in that order. Offsets are in elements; each tensor starts at a multiple of
/// 16, so that rows are aligned identically in every process.
public struct WeightLayout: Sendable {
    /// One tensor: its name and shape.
    public struct Entry: Sendable, Equatable {
        /// Released name, such as `blocks.0.attn_qkv.weight`.
        public let name: String
        /// Dimensions; row-major.
        public let shape: [Int]
        let offset: Int
        var count: Int { shape.reduce(1, *) }
    }

    /// All tensors, in storage order.
    public let entries: [Entry]
    /// Second names of tensors, such as that of a head tied to the embedding.
    let aliases: [String: String]
    /// Elements of the flat array, including the gaps.
    let flatCount: Int

    /// Number of weights, excluding the gaps.
    public var parameters: Int { entries.reduce(0) { $0 + $1.count } }

    /// The layout of the network described by `configuration`: with layers on sigma, or with biases of its norms in
    /// their place.
    public init(_ configuration: ModelConfiguration) {
        let (d, c, v) = (configuration.model.hiddenSize, configuration.model.condDim, configuration.states)
        typealias Shapes = [(String, [Int])]
        let hasAdaLN = configuration.model.conditioning != .none
        func norm(_ name: String) -> Shapes {
            [(name + ".weight", [d])] + (hasAdaLN ? [] : [(name + ".bias", [d])])
        }
        func adaLN(_ prefix: String, parts: Int) -> Shapes {
            let name = prefix + "adaLN_modulation"
            return hasAdaLN ? [(name + ".weight", [parts * d, c]), (name + ".bias", [parts * d])] : []
        }
        var shapes: Shapes = [("vocab_embed.embedding", [v, d])]
        if hasAdaLN {
            shapes += [
                ("sigma_map.mlp.0.weight", [c, SigmaEmbedding.frequencies]), ("sigma_map.mlp.0.bias", [c]),
                ("sigma_map.mlp.2.weight", [c, c]), ("sigma_map.mlp.2.bias", [c]),
            ]
        }
        for block in 0..<configuration.model.nBlocks {
            let prefix = "blocks.\(block)."
            shapes += norm(prefix + "norm1")
            shapes += [(prefix + "attn_qkv.weight", [3 * d, d]), (prefix + "attn_out.weight", [d, d])]
            shapes += norm(prefix + "norm2")
            shapes += [
                (prefix + "mlp.0.weight", [4 * d, d]), (prefix + "mlp.0.bias", [4 * d]),
                (prefix + "mlp.2.weight", [d, 4 * d]), (prefix + "mlp.2.bias", [d]),
            ]
            shapes += adaLN(prefix, parts: 6)
        }
        shapes += norm("output_layer.norm_final")
        let isTied = configuration.model.tiesEmbeddings
        if !isTied { shapes.append(("output_layer.linear.weight", [v, d])) }
        shapes.append(("output_layer.linear.bias", [v]))
        shapes += adaLN("output_layer.", parts: 2)
        self.init(shapes, aliases: isTied ? ["output_layer.linear.weight": "vocab_embed.embedding"] : [:])
    }

    /// A layout of only those tensors for which `isIncluded` returns true.
    func filtered(_ isIncluded: (Entry) -> Bool) -> WeightLayout {
        WeightLayout(entries.filter(isIncluded).map { ($0.name, $0.shape) })
    }

    /// The range of the flat array from the first named tensor through the last.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` if a name is missing.
    func range(_ names: (first: String, last: String)) throws(SEDDError) -> Range<Int> {
        guard let first = entries.first(where: { $0.name == names.first }),
            let last = entries.first(where: { $0.name == names.last })
        else { throw SEDDError(.invalidData, "weights: no tensor is called '\(names.first)' or '\(names.last)'") }
        return first.offset..<last.offset + Self.padded(last.count)
    }

    /// Elements of the flat array occupied by a tensor of `count` elements.
    private static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

    /// A layout of consecutive tensors.
    ///
    /// - Parameter aliases: second names of some of them, with their first ones.
    init(_ shapes: [(name: String, shape: [Int])], aliases: [String: String] = [:]) {
        self.aliases = aliases
        var offset = 0
        entries = shapes.map { name, shape in
            let entry = Entry(name: name, shape: shape, offset: offset)
            offset += Self.padded(entry.count)
            return entry
        }
        flatCount = offset
    }
}
