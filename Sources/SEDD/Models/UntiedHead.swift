import Torch

extension LanguageModel {
    /// The same model with a head of its own, for formats that store one: a tied head is copied from the embedding.
    func untied() throws -> LanguageModel {
        guard case .diffusion(let network) = self, network.configuration.model.tiesEmbeddings else { return self }
        var configuration = network.configuration
        configuration.model = configuration.model.untied
        let weights = try Weights(layout: WeightLayout(configuration))
        for entry in weights.layout.entries {
            try weights(entry.name).copyInPlace(network.weights(entry.name).detached())
        }
        return .diffusion(try ScoreNetwork(configuration, weights.moved(to: network.device, network.weights.precision)))
    }
}

extension ModelConfiguration.Network {
    /// The same shape with a head of its own.
    fileprivate var untied: Self {
        Self(
            hiddenSize: hiddenSize, condDim: condDim, length: length, nBlocks: nBlocks, nHeads: nHeads,
            scaleBySigma: scaleBySigma, dropout: dropout, parametrisation: parametrisation, conditioning: conditioning)
    }
}
