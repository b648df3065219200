import Files
public import Foundation

/// What `config.json` says of a model that writes from left to right; GPT-2's released schema.
///
/// `tokens` and `tokenizer` are ours. Keys that only other uses of the format need are left alone.
public struct AutoregressiveConfiguration: Sendable, Codable, Equatable {
    var modelType = "gpt2"
    var architectures: [String]? = ["GPT2LMHeadModel"]
    /// Rows of the embedding, a start token included where the tokenizer has none to lend.
    public var vocabularySize: Int
    /// Positions that the model has an embedding for.
    public var length: Int
    /// d, the width.
    public var hiddenSize: Int
    /// Blocks.
    public var nBlocks: Int
    /// Attention heads, which divide the width.
    public var nHeads: Int
    /// Width of the MLP; four times ``hiddenSize`` unless given.
    public var innerSize: Int?
    /// Share of a branch's outputs that training drops.
    public var dropout: Double?
    /// What keeps a layer norm finite.
    public var epsilon: Double?
    /// The token that stands before the first.
    public var startToken: Int
    var activation: String? = "gelu_new"
    var tiesHead: Bool? = true
    var scalesByLayer: Bool? = false
    var scales: Bool? = true
    var attendsAcross: Bool? = false
    /// Tokens that can be written: all but a start token of our own. Nil in released files, where all can.
    public var tokens: Int?
    /// Which tokenizer's files lie beside this file; nil in released folders.
    public var tokenizer: String?

    enum CodingKeys: String, CodingKey {
        case architectures, tokens, tokenizer
        case modelType = "model_type", vocabularySize = "vocab_size", length = "n_positions", hiddenSize = "n_embd"
        case nBlocks = "n_layer", nHeads = "n_head", innerSize = "n_inner", dropout = "resid_pdrop"
        case epsilon = "layer_norm_epsilon", startToken = "bos_token_id", activation = "activation_function"
        case tiesHead = "tie_word_embeddings", scalesByLayer = "scale_attn_by_inverse_layer_idx"
        case scales = "scale_attn_weights", attendsAcross = "add_cross_attention"
    }

    /// A model over a tokenizer's tokens.
    ///
    /// - Parameter endOfText: the token that separates documents, which then also stands before the first; without one a
    ///   token of the model's own does.
    public init(
        tokens: Int, endOfText: Int?, hiddenSize: Int, length: Int, nBlocks: Int, nHeads: Int, dropout: Double,
        tokenizer: String? = nil
    ) {
        vocabularySize = endOfText == nil ? tokens + 1 : tokens
        startToken = endOfText ?? tokens
        self.length = length
        self.hiddenSize = hiddenSize
        self.nBlocks = nBlocks
        self.nHeads = nHeads
        self.dropout = dropout
        self.tokens = tokens
        self.tokenizer = tokenizer
    }

    /// A model read from other files than GPT-2's.
    init(
        vocabulary: Int, startToken: Int, hiddenSize: Int, length: Int, nBlocks: Int, nHeads: Int, activation: String
    ) {
        vocabularySize = vocabulary
        self.startToken = startToken
        self.length = length
        self.hiddenSize = hiddenSize
        self.nBlocks = nBlocks
        self.nHeads = nHeads
        self.activation = activation
    }

    /// Tokens that the model gives probabilities to.
    public var outputs: Int { tokens ?? vocabularySize }
    /// Whether a tokenizer of so many tokens goes with the model. A released one may have further outputs, which no text has:
    /// vocabularies are padded to round sizes, and pad tokens added. What was trained here says its number of tokens.
    public func accepts(vocabulary: Int) -> Bool {
        tokens == nil ? vocabulary <= vocabularySize : vocabulary == tokens
    }
    var mlpWidth: Int { innerSize ?? 4 * hiddenSize }
    var normEpsilon: Double { epsilon ?? 1e-5 }
    /// Whether GELU is exact: `gelu`, and not GPT-2's own approximation.
    var hasExactGelu: Bool { activation == "gelu" }

    /// Checks what the types cannot say, and that nothing is asked for that this code does not do.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the key, what it is and what it should be.
    public func validate() throws(SEDDError) {
        let sizes = [
            ("vocab_size", vocabularySize, 28), ("n_positions", length, 20), ("n_embd", hiddenSize, 20),
            ("n_layer", nBlocks, 14), ("n_head", nHeads, 20), ("n_inner", innerSize ?? 1, 24), ("tokens", outputs, 28),
        ]
        for (key, value, bits) in sizes where value < 1 || value > 1 << bits {
            throw SEDDError(.invalidData, "\(key) is \(value); expected a whole number from 1 to 2^\(bits)")
        }
        guard hiddenSize % nHeads == 0 else {
            throw SEDDError(.invalidData, "n_embd \(hiddenSize) over n_head \(nHeads): expected a whole width a head")
        }
        guard outputs <= vocabularySize, startToken >= 0, startToken < vocabularySize else {
            throw SEDDError(
                .invalidData,
                "bos_token_id \(startToken) and tokens \(outputs): expected both within vocab_size, \(vocabularySize)")
        }
        guard (dropout ?? 0) >= 0, (dropout ?? 0) < 1, normEpsilon > 0 else {
            throw SEDDError(
                .invalidData, "resid_pdrop \(dropout ?? 0) or layer_norm_epsilon \(normEpsilon) is out of range")
        }
        let other: [(String, Bool)] = [
            ("activation_function", !["gelu_new", "gelu_pytorch_tanh", "gelu"].contains(activation ?? "gelu_new")),
            ("scale_attn_weights", scales == false),
            ("scale_attn_by_inverse_layer_idx", scalesByLayer == true), ("add_cross_attention", attendsAcross == true),
            ("model_type", modelType != "gpt2"),
        ]
        if let (key, _) = other.first(where: { $0.1 }) {
            throw SEDDError(.invalidData, "\(key) is not GPT-2's own; models with another are not supported")
        }
    }

    /// Reads and checks the `config.json` at `url`.
    ///
    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData`, naming the file and the key.
    public init(contentsOf url: URL) throws(SEDDError) {
        self = try ConfigurationJSON.read(url)
        do { try validate() } catch { throw SEDDError(error.kind, "\(url.path): \(error.description)") }
    }

    /// `config.json`.
    public func jsonData() throws -> Data { try ConfigurationJSON.data(self) }
}
