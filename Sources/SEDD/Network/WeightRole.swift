/// The role of a tensor for an optimizer.
enum WeightRole: Sendable, Equatable {
    /// A matrix inside a block that maps hidden vectors to hidden vectors: one, or queries, keys and values in one
    /// tensor.
    case hiddenMatrix(HiddenMatrix)
    /// Any other matrix: the head, adaLN, the layers on sigma.
    case matrix
    /// An embedding table.
    case embedding
    /// A bias or the gain of a norm.
    case vector

    /// How a hidden matrix is stored in its tensor.
    struct HiddenMatrix: Sendable, Equatable {
        /// Matrices stacked along the outputs: 3 for queries, keys and values, else 1.
        var parts = 1
        /// Whether rows are outputs, as in the released SEDD models; GPT-2 stores [in, out].
        var outputsAreRows = true
    }

    /// Whether weight decay applies: to matrices, but not to norms, biases and embeddings.
    var decays: Bool {
        switch self {
        case .hiddenMatrix, .matrix: true
        case .embedding, .vector: false
        }
    }
}

extension WeightLayout.Entry {
    private static let matrices: [String: WeightRole.HiddenMatrix] = [
        "attn_qkv.weight": .init(parts: 3), "attn_out.weight": .init(), "mlp.0.weight": .init(),
        "mlp.2.weight": .init(),
        "attn.c_attn.weight": .init(parts: 3, outputsAreRows: false),
        "attn.c_proj.weight": .init(outputsAreRows: false), "mlp.c_fc.weight": .init(outputsAreRows: false),
        "mlp.c_proj.weight": .init(outputsAreRows: false),
    ]
    private static let embeddings: Set = ["vocab_embed.embedding", "transformer.wte.weight", "transformer.wpe.weight"]

    /// The role of the tensor, by its released name.
    var role: WeightRole {
        guard shape.count == 2 else { return .vector }
        if Self.embeddings.contains(name) { return .embedding }
        for prefix in ["blocks.", "transformer.h."] where name.hasPrefix(prefix) {
            // The name within the block, after the block index.
            let within = name.dropFirst(prefix.count).drop { $0 != "." }.dropFirst()
            if let matrix = Self.matrices[String(within)] { return .hiddenMatrix(matrix) }
        }
        return .matrix
    }
}
