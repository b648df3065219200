import ArgumentParser
import Files
import Foundation
import SEDD
import Text
import Torch

struct JudgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "judge",
        abstract: "Judge texts with another model: generative perplexity, entropy, repetition, MAUVE.",
        discussion: """
            SAMPLES is the output of sedd sample --jsonl, a file with one text per line, or texts separated by <|endoftext|>. \
            The judge is autoregressive (GPT-2, or a model trained with model: autoregressive) and encodes texts with its own \
            tokenizer.

            --reference adds MAUVE from the judge's hidden vectors (of the last token, as published, or with --mean \
            averaged over each text), against the texts of a .jsonl or .json file, or against pieces of a plain text (or \
            NAME:FILE), as many and as long as the sampled sequences, and cut at ends of text like these.

            Example:
              sedd judge --model openai-community/gpt2-large --samples samples.jsonl --reference lm1b:test.tokens
            """)

    @OptionGroup var options: ModelOptions
    @Option(help: ArgumentHelp("Texts to judge.", valueName: "file")) var samples: PathArgument
    @Flag(help: "Judge all recorded tokens, as published figures do, instead of each text up to its first end of text.")
    var whole = false
    @Option(help: ArgumentHelp("Texts to compare with, for MAUVE.", valueName: "[name:]file")) var reference: String?
    @Option(help: ArgumentHelp("Only the last fraction of a plain reference.", valueName: "share"))
    var last: Double?
    @Option(help: ArgumentHelp("Runs of MAUVE's clustering (default: 5).", valueName: "N")) var seeds: Int?
    @Flag(help: "For MAUVE, average the vectors of a text's tokens instead of using the last one.") var mean = false
    @Option(help: ArgumentHelp("Tokens per pass of the judge.", valueName: "N")) var batchTokens = 4096
    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var engine: EngineOptions

    func validate() throws {
        for (name, value) in [("seeds", seeds ?? 1), ("batch-tokens", batchTokens)]
        where !(1...Limits.count).contains(value) {
            throw ValidationError("--\(name) is \(value); expected 1 to \(Limits.count)")
        }
        if let last, last <= 0 || last > 1 {
            throw ValidationError("--last is \(last); expected more than 0, at most 1")
        }
        guard reference != nil || (last == nil && seeds == nil && !mean) else {
            throw ValidationError("--last, --seeds and --mean require --reference; add it, or leave them out")
        }
    }

    func run() async throws {
        let texts = try TextSample.read(samples.url, whole: whole)
        let specification = try reference.map { try DataSpecification($0) }
        let model = try await options.languageModel(engine)
        let tokenizer = try await options.makeTokenizer(for: model)
        let judge = try Judge(network: model.autoregressive(), tokenizer: tokenizer, tokensPerBatch: batchTokens)
        let compared = try specification.map { specification -> (name: String, texts: Judgement.Reference) in
            guard specification.name == nil, DocumentReader.form(of: specification.file) == .json else {
                return (
                    specification.description,
                    .plain(
                        try EvaluationText(
                            specification, tokenizer: tokenizer, lastShare: last ?? 1))
                )
            }
            guard last == nil else {
                throw SEDDError(
                    .usage, "--last is a share of a plain reference, and \(specification) has rows; leave it out")
            }
            return (specification.description, .texts(try TextSample.read(specification.file).map(\.text)))
        }
        let console = Console()
        defer { console.finish() }
        let report = try Judgement(judge, name: options.model).report(
            texts, whole: whole, reference: compared, feature: mean ? .mean : .last, seeds: seeds ?? 5
        ) {
            console.progress($1, "\($0): \(Int($1 * 100)) %")
        }
        console.finish()
        if report.retokenized && json {
            console.line("the samples use other tokens than the judge: they were re-encoded from their text")
        }
        let lines = json ? [try report.json()] : report.lines
        try StandardOutput.write(Array((lines.joined(separator: "\n") + "\n").utf8))
    }
}
