import Files
public import Foundation
package import Text

/// A model's description for its users: training data, abilities, and recommended sampling settings.
///
/// The file is `model_card.json`; every member and the file itself are optional. The page of `sedd serve` describes the
/// model only in these words.
///
/// ```json
/// {
///   "title": "Stories", "language": "en",
///   "training_data": "600,000 short stories for small children",
///   "abilities": "It tells simple stories in short sentences. It knows nothing else.",
///   "sampling": {"method": "analytic", "steps": 128, "temperature": 0.9},
///   "examples": [{"name": "Fill a gap", "template": "Tom lost his hat.[[24]] He was happy again.", "seed": 4}]
/// }
/// ```
public struct ModelCard: Sendable, Codable, Equatable {
    /// A template that shows what the model can do.
    public struct Example: Sendable, Codable, Equatable {
        /// What the example does, in two or three words.
        public var name: String
        /// Text with holes; see ``Template``.
        public var template: String
        /// Total length in tokens; nil for the template's own, or the model's length.
        public var length: Int?
        /// A seed that gives a representative text; nil for any.
        public var seed: Int?

        /// Creates an example from its members.
        public init(name: String, template: String, length: Int? = nil, seed: Int? = nil) {
            (self.name, self.template, self.length, self.seed) = (name, template, length, seed)
        }
    }

    /// Display name of the model.
    public var title: String?
    /// What it was trained on, as a noun phrase without a full stop.
    public var trainingData: String?
    /// What it can and cannot do, in a sentence or two.
    public var abilities: String?
    /// The language of its texts, a BCP 47 tag such as `en`.
    public var language: String?
    /// Recommended sampling settings.
    public var sampling: SamplingSettings?
    /// The first one is the run that the page plays on arrival.
    public var examples: [Example]?

    private enum CodingKeys: String, CodingKey {
        case title, abilities, language, sampling, examples, trainingData = "training_data"
    }

    /// Creates a card from its members, without checking them.
    public init(
        title: String? = nil, trainingData: String? = nil, abilities: String? = nil, language: String? = nil,
        sampling: SamplingSettings? = nil, examples: [Example]? = nil
    ) {
        (self.title, self.trainingData, self.abilities) = (title, trainingData, abilities)
        (self.language, self.sampling, self.examples) = (language, sampling, examples)
    }

    /// Checks what the types cannot express.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` or `invalidData` that names the member.
    public func validate() throws(SEDDError) {
        do { try sampling?.validate() } catch { throw SEDDError(error.kind, "sampling: \(error.description)") }
        for (index, example) in (examples ?? []).enumerated() {
            do { _ = try Template(example.template) } catch {
                throw SEDDError(error.kind, "examples[\(index)]: \(error.description)")
            }
            if let length = example.length, length < 1 {
                throw SEDDError(.invalidData, "examples[\(index)].length is \(length); expected 1 or more")
            }
        }
    }

    /// Checks the card against the model that it describes.
    ///
    /// - Parameter length: sequence length used in training.
    /// - Throws: ``SEDDError`` of kind `invalidData` that names the member: settings that the model's chain does not
    ///   support, or a template that exceeds its length or contains what the tokenizer lacks.
    package func check(sampler: Sampler, tokenizer: any Tokenizer, length: Int) throws(SEDDError) {
        if let sampling {
            do { _ = try SamplingMethods.make(sampling, for: sampler.process) } catch {
                throw SEDDError(.invalidData, "\(Self.fileName): sampling: \(error.description)")
            }
        }
        for (index, example) in (examples ?? []).enumerated() {
            do {
                _ = try Template(example.template)
                    .positions(tokenizer: tokenizer, length: example.length, modelLength: length)
            } catch { throw SEDDError(.invalidData, "\(Self.fileName): examples[\(index)]: \(error)") }
        }
    }

    /// Maximum size of a card, bytes.
    private static let greatest = 1 << 18

    private static let fileName = "model_card.json"

    /// Location of the card in a model folder.
    public static func file(in folder: URL) -> URL { folder.appending(path: fileName) }

    /// The card in `folder`; nil if there is none.
    ///
    /// - Throws: ``SEDDError`` of kind `invalidData` for a file that is not a card, naming it and the member.
    public static func beside(model folder: URL) throws(SEDDError) -> ModelCard? {
        let file = file(in: folder)
        guard FileSystem.exists(file) else { return nil }
        let card: ModelCard
        do { card = try JSON.decode(contentsOf: file, limit: greatest) } catch {
            throw SEDDError(error.kind, error.description)
        }
        do { try card.validate() } catch {
            throw SEDDError(.invalidData, "\(file.path): \(error.description)")
        }
        return card
    }
}
