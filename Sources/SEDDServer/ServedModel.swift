package import SEDD
package import Text

/// The model that a server serves, and what it is called.
package struct ServedModel: Sendable {
    /// What requests call it.
    package let name: String
    package let network: ScoreNetwork
    /// What starts its trajectories.
    let sampler: Sampler
    package let tokenizer: any Tokenizer
    /// Its chain.
    let graph: any TransitionGraph
    /// Positions that it was trained on.
    let length: Int
    /// When it was loaded, seconds since 1970.
    let created: Int

    /// - Parameters:
    ///   - created: seconds since 1970.
    ///   - profile: the model's information profile, where it was measured.
    /// - Throws: ``SEDDError`` where the network's configuration is not one.
    package init(
        name: String, network: ScoreNetwork, profile: InformationProfile? = nil, tokenizer: any Tokenizer, created: Int
    ) throws {
        sampler = try Sampler(network: network, profile: profile)
        self.name = name
        self.network = network
        self.tokenizer = tokenizer
        self.created = created
        graph = network.configuration.makeGraph()
        length = network.configuration.model.length
    }

    /// The tokens of a text.
    func tokens(_ text: String, parameter: String) throws(APIError) -> [Int] {
        do { return try tokenizer.encode(text).map { Int($0) } } catch { throw APIError(error, parameter: parameter) }
    }

    /// The text of tokens; what is no UTF-8 becomes U+FFFD.
    func text(_ tokens: some Sequence<Int>) throws -> String {
        try tokenizer.text(of: tokens.map { Int32($0) })
    }
}
