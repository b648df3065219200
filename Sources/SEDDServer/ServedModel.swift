package import SEDD
package import Text

/// The model that a server serves, and its name.
package struct ServedModel: Sendable {
    /// The model's name in requests.
    package let name: String
    /// The network.
    package let network: ScoreNetwork
    /// The sampler that starts its trajectories.
    let sampler: Sampler
    /// The model's tokenizer.
    package let tokenizer: any Tokenizer
    /// The model's chain.
    let graph: any TransitionGraph
    /// Sequence length used in training.
    let length: Int
    /// The model card in the model's folder.
    let card: ModelCard?
    /// Time of loading, seconds since 1970.
    let created: Int

    /// - Parameters:
    ///   - created: time of loading, seconds since 1970.
    ///   - profile: the model's information profile, if one was measured.
    ///   - card: the model card in the model's folder.
    /// - Throws: ``SEDDError`` if the network's configuration is invalid, or the card does not match the model.
    package init(
        name: String, network: ScoreNetwork, profile: InformationProfile? = nil, card: ModelCard? = nil,
        tokenizer: any Tokenizer, created: Int
    ) throws {
        sampler = try Sampler(network: network, profile: profile)
        self.name = name
        self.network = network
        self.tokenizer = tokenizer
        self.created = created
        self.card = card
        graph = network.configuration.makeGraph()
        length = network.configuration.model.length
        // Reported at startup rather than to the first visitor of the page.
        try card?.check(sampler: sampler, tokenizer: tokenizer, length: length)
    }

    /// The tokens of a text.
    func tokens(_ text: String, parameter: String) throws(APIError) -> [Int] {
        do { return try tokenizer.encode(text).map { Int($0) } } catch { throw APIError(error, parameter: parameter) }
    }

    /// Decodes tokens; invalid UTF-8 becomes U+FFFD.
    func text(_ tokens: some Sequence<Int>) throws -> String {
        try tokenizer.text(of: tokens.map { Int32($0) })
    }
}
