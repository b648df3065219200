import ArgumentParser
import Files
import Foundation
import Hub
import SEDD

struct Download: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch models from the Hugging Face hub into its cache.",
        discussion: """
            Only what a model needs is fetched: configuration, weights, tokenizer. The cache is that of Python's \
            huggingface_hub and shared with it; sizes and checksums are verified, and interrupted downloads resume. The folder of \
            each model is printed. Commands that take --model fetch missing models themselves; use this to fetch them beforehand.

            HF_HOME and HF_HUB_CACHE select the cache, HF_ENDPOINT a mirror; HF_TOKEN (or the token file) gives access to \
            private models, and HF_HUB_OFFLINE=1 uses only the cache. HTTPS_PROXY and NO_PROXY are respected.

            Examples:
              sedd download louaaron/sedd-small
              sedd download kuleshov-group/mdlm-owt@main openai-community/gpt2 --tokenizer
            """)

    @Argument(help: ArgumentHelp("Models to fetch.", valueName: "org/name[@revision]")) var models: [HubName]
    @Flag(help: "Fetch only the tokenizer's files.") var tokenizer = false
    @Flag(help: "Print one JSON object per model.") var json = false

    func run() async throws {
        let hub = try HubAccess.hub()
        for name in models {
            let snapshot = try await hub.snapshot(name.model, tokenizer ? .tokenizer : .model)
            // Without it the model could not be used offline.
            if !tokenizer, GPT2Vocabulary.isMissing(in: snapshot.folder) { _ = try await GPT2Vocabulary.folder() }
            try StandardOutput.line(
                json
                    ? JSON.text([
                        "model": snapshot.model.repository, "revision": snapshot.model.revision,
                        "commit": snapshot.commit,
                        "folder": snapshot.folder.path,
                    ]) : snapshot.folder.path)
        }
    }
}

/// The name of a model on the hub, as an argument.
struct HubName: ExpressibleByArgument, Sendable {
    let model: HubModel

    init?(argument: String) {
        guard let model = try? HubModel(argument, allowsBareName: true) else { return nil }
        self.model = model
    }
}
