import Files
import Foundation
import Testing
import Torch

@testable import SEDD

/// Written files are read back, and differences are reported.
struct PyTorchFileTests {
    @Test func writtenStateDictionariesAreReadBack() throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        for name in ["weights/pytorch_model.bin", "state.pt", "checkpoint.pth", "model.safetensors", "folder"] {
            let target = folder.url.appending(path: name)
            try Conversion.write(.diffusion(network), to: target)
            for choice in LanguageModel.Choice.allCases {
                let found = try LanguageModel.load(target, choice: choice).diffusion()
                let (a, b): ([Double], [Double]) = (try found.weights.flat.array(), try network.weights.flat.array())
                #expect(a == b, "\(name)")
                #expect(found.configuration.model == network.configuration.model)
            }
        }
    }

    @Test(arguments: [DType.float16, .bfloat16, .float64])
    func otherPrecisionsAreConverted(_ dtype: DType) throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        try ModelFolder.save(network.configuration, network.weights, to: folder.url)
        let narrowed = try network.weights.named.map { (name: $0.name, tensor: try $0.tensor.cast(to: dtype)) }
        try Safetensors.write(narrowed, to: folder.url.appending(path: "model.safetensors"))
        let found: [Double] = try ModelFolder.load(folder.url).weights.flat.array()
        let difference = Difference(found, try network.weights.flat.array())
        #expect(difference.absolute < (dtype == .bfloat16 ? 2e-3 : 3e-4), "\(difference)")
    }

    @Test func namesAndShapesThatDiffer() throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        try ModelFolder.save(network.configuration, network.weights, to: folder.url)
        let file = folder.url.appending(path: "model.safetensors")
        var tensors = network.weights.named
        tensors[0].tensor = try Tensor.zeros([3, 3])
        for place in 1...6 { tensors[place].name += ".other" }
        try Safetensors.write(tensors, to: file)
        let error = #expect(throws: SEDDError.self) { _ = try ModelFolder.load(folder.url) }
        #expect(error?.kind == .invalidData)
        let text = error?.description ?? ""
        #expect(text.contains("vocab_embed.embedding: expected [12, 32], found [3, 3]"))
        #expect(text.contains("sigma_map.mlp.0.weight: expected [16, 256], found none"))
        #expect(text.contains("and 8 more"), "\(text)")
    }

    // Integer weights have a scale stored elsewhere; reading them without it would be silently wrong.
    @Test func wholeNumbersAreRefused() throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        try ModelFolder.save(network.configuration, network.weights, to: folder.url)
        let whole = try network.weights.named.map { (name: $0.name, tensor: try $0.tensor.cast(to: .int8)) }
        try Safetensors.write(whole, to: folder.url.appending(path: "model.safetensors"))
        let error = #expect(throws: SEDDError.self) { _ = try ModelFolder.load(folder.url) }
        #expect(error?.description.contains("expected a floating point type, found int8") == true)
    }

    // A configuration that claims more than the file holds is refused before anything of that size is allocated.
    @Test func claimsAreComparedBeforeMemoryIsTaken() throws {
        let network = try randomNetwork(smallConfiguration())
        let folder = try TemporaryFolder()
        try ModelFolder.save(network.configuration, network.weights, to: folder.url)
        var configuration = network.configuration
        configuration.tokens = 1 << 28
        (configuration.model.hiddenSize, configuration.model.nBlocks) = (1 << 20, 1 << 10)
        try configuration.jsonData().write(to: folder.url.appending(path: "config.json"))
        let error = #expect(throws: SEDDError.self) { _ = try ModelFolder.load(folder.url) }
        #expect(
            error?.description.contains("vocab_embed.embedding: expected [268435457, 1048576], found [12, 32]") == true)
    }
}
