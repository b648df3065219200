import Foundation
import HTTPTypes
import Testing

@testable import SEDD
@testable import SEDDServer

/// Whatever a user sends, no given position is ever the mask: the model would write over what was given.
struct MaskTests {
    /// How masks are spelt in the vocabularies of published models, and by those who know ours.
    static let spellings = [
        "<|mask|>", "[MASK]", "<mask>", "<|mdm_mask|>", "<|endoftext|>", "256", "257", "\u{FFFF}", "\u{0}", "\\[[*]]",
        "▁", "·",
    ]

    /// Tokenizers that have a token of that spelling: one that text is searched for, or one that it is not; with its id as the
    /// model's last token, or as that of the mask itself.
    @Test(arguments: [(258, false), (258, true), (257, false), (257, true)])
    func textIsNeverTheMask(_ tokens: Int, _ isSpecial: Bool) throws {
        let model = try PieceModels.model(
            tokens: tokens,
            [
                .init(id: 256, content: "<|endoftext|>", special: true),
                .init(id: 257, content: "<|mask|>", special: isSpecial),
            ])
        let mask = try #require(model.graph.mask)
        #expect(mask == tokens)
        var (given, refused) = (0, 0)
        for spelling in Self.spellings {
            for text in [spelling, "a \(spelling) b", spelling + spelling] {
                var fields = try RequestFields(
                    body: [UInt8](JSONSerialization.data(withJSONObject: ["template": text + "[[3]]"])))
                let (template, first): ([Int?], Trajectory)
                do throws(APIError) {
                    let request = try InfillRequest(&fields, model: model, limits: ServerLimits(modelLength: 24))
                    (template, first) = (request.template, try request.sequence(model))
                } catch {
                    // A token that the model does not have is refused, not passed on.
                    #expect(error.status == .badRequest && text.contains("<|mask|>"), "\(text): \(error)")
                    refused += 1
                    continue
                }
                let fixed = template.compactMap { $0 }
                #expect(!fixed.contains(mask), "\(text)")
                #expect(first.states.count { $0 == mask } == 3, "\(text): only the hole is open")
                #expect(!fixed.contains(256), "\(text): text never ends the text")
                given += 1
            }
        }
        #expect(refused == (tokens == 257 && !isSpecial ? 3 : 0))
        #expect(given + refused == 3 * Self.spellings.count)
    }

    /// Prompts given as tokens.
    @Test(arguments: [256, 257, -1, Int.max, Int.min]) func aTokenThatIsTheMaskIsRefused(_ token: Int) async throws {
        let model = try absorbingModel()
        #expect(model.graph.mask == 256)
        try await withServer(model) { client in
            let answer = try await client.post("/v1/completions", "{\"prompt\": [65, \(token)], \"max_tokens\": 1}")
            #expect(answer.status == 400, "\(answer.body)")
        }
    }
}
