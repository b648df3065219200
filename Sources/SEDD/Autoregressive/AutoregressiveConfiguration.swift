import Files
public import Foundation

/// The `config.json` of an autoregressive model, in GPT-2's released schema.
///
/// `tokens` and `tokenizer` are additions of this project. Keys that only other uses of the format need are ignored.
public struct AutoregressiveConfiguration: Sendable, Codable, Equatable {
    var modelType = "gpt2"
    var architectures: [String]? = ["GPT2LMHeadModel"]
    /// Rows of the embedding, including a start token if the tokenizer has none of its own.
    public var vocabularySize: Int
    /// Positions for which the model has an embedding.
    public var length: Int
    /// d, the hidden size.
    public var hiddenSize: Int
    /// Number of blocks.
    public var nBlocks: Int
    /// Attention heads; must divide ``hiddenSize``.
    public var nHeads: Int
    /// Width of the MLP; four times ``hiddenSize`` unless given.
    public var innerSize: Int?
    /// Dropout probability on the output of each branch during training.
    public var dropout: Double?
    /// Epsilon of the layer norms.
    public var epsilon: Double?
    /// The token placed before the first one.
    public var startToken: Int
    var activation: String? = "gelu_new"
    var tiesHead: Bool? = true
    var scalesByLayer: Bool? = false
    var scales: Bool? = true
    var attendsAcross: Bool? = false
    /// Number of tokens that can be generated: all but a start token added by this project. Nil in released files,
    /// where all of them can.
    public var tokens: Int?
    /// Kind of the tokenizer stored in the same folder; nil in released folders.
    public var tokenizer: String?

    enum CodingKeys: String, CodingKey {
        case architectures, tokens, tokenizer
        case modelType = "model_type", vocabularySize = "vocab_size", length = "n_positions", hiddenSize = "n_embd"
        case nBlocks = "n_layer", nHeads = "n_head", innerSize = "n_inner", dropout = "resid_pdrop"
        case epsilon = "layer_norm_epsilon", startToken = "bos_token_id", activation = "activation_function"
        case tiesHead = "tie_word_embeddings", scalesByLayer = "scale_attn_by_inverse_layer_idx"
        case scales = "scale_attn_weights", attendsAcross = "add_cross_attention"
    }

    /// A model over a tokenizer's vocabulary.
    ///
    /// - Parameter endOfText: the token that separates documents, which then also serves as the start token; if nil, a
    ///   start token is added to the vocabulary.
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

    /// A configuration read from files in a format other than GPT-2's.
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

    /// Number of tokens to which the model assigns probabilities.
    public var outputs: Int { tokens ?? vocabularySize }
    /// Whether a tokenizer with `vocabulary` tokens fits the model. A released model may have more outputs than its
    /// tokenizer has tokens, because vocabularies are padded to round sizes; a model trained here states its number of
    /// tokens.
    public func accepts(vocabulary: Int) -> Bool {
        tokens == nil ? vocabulary <= vocabularySize : vocabulary == tokens
    }
    var mlpWidth: Int { innerSize ?? 4 * hiddenSize }
    var normEpsilon: Double { epsilon ?? 1e-5 }
    /// Whether GELU is computed exactly (`gelu`) rather than by GPT-2's tanh approximation.
    var hasExactGelu: Bool { activation == "gelu" }

    /// Checks what the types cannot express, and that the file requests nothing that this code does not implement.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the key, its value and the expected value.
    public func validate() throws(SEDDError) {
        let sizes = [
            ("vocab_size", vocabularySize, 28), ("n_positions", length, 20), ("n_embd", hiddenSize, 20),
            ("n_layer", nBlocks, 14), ("n_head", nHeads, 20), ("n_inner", innerSize ?? 1, 24), ("tokens", outputs, 28),
        ]
        for (key, value, bits) in sizes where value < 1 || value > 1 << bits {
            throw SEDDError(.invalidData, "\(key) is \(value); expected a whole number from 1 to 2^\(bits)")
        }
        guard hiddenSize % nHeads == 0 else {
            throw SEDDError(
                .invalidData, "n_embd \(hiddenSize) over n_head \(nHeads): expected n_embd to be a multiple of n_head")
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
            throw SEDDError(.invalidData, "\(key) differs from GPT-2's; such models are not supported")
        }
    }

    /// Reads and checks the `config.json` at `url`.
    ///
    /// - Throws: ``SEDDError`` of kind `missingInput` or `invalidData` that names the file and the key.
    public init(contentsOf url: URL) throws(SEDDError) {
        self = try ConfigurationJSON.read(url)
        do { try validate() } catch { throw SEDDError(error.kind, "\(url.path): \(error.description)") }
    }

    /// The contents of `config.json`.
    public func jsonData() throws -> Data { try ConfigurationJSON.data(self) }
}
