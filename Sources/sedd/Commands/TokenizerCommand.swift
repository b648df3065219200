import ArgumentParser
import Files
import Foundation
import SEDD
import Text

/// What is done to tokenizers themselves.
struct TokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer", abstract: "Make a tokenizer.", subcommands: [TokenizerTrain.self])
}

struct TokenizerTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Learn a byte-level BPE vocabulary from texts.",
        discussion: """
            The merges are those that Hugging Face's trainer learns from the same strings over GPT-2's pieces; \
            tokenizer.json, vocab.json and merges.txt are the files that it would write. Each plain file is one string, each row \
            of a JSON file, and with --documents each text between two <|endoftext|>.

            The special token '<|endoftext|>' becomes the tokenizer's end of text.

            Example:
              sedd tokenizer train --data stories.txt --documents --size 2048 --special '<|endoftext|>' --output DIR
            """)

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Texts in UTF-8, one or more.", valueName: "file"))
    var data: [PathArgument] = []
    @Option(help: ArgumentHelp("Tokens: special ones, the 256 bytes, and what merges make.", valueName: "N"))
    var size: Int
    @Option(help: ArgumentHelp("Folder for the three files.", valueName: "dir")) var output: PathArgument
    @Option(help: ArgumentHelp("Occurrences below which a pair does not merge.", valueName: "N")) var minFrequency = 2
    @Option(help: ArgumentHelp("A special token; may be repeated.", valueName: "text")) var special: [String] = []
    @Flag(
        help: "Each document is a string, as sedd train reads files: nothing is learnt from <|endoftext|> between them."
    )
    var documents = false
    @Flag(help: "Replace tokenizer files that are in the folder.") var force = false

    func validate() throws {
        guard !data.isEmpty else { throw ValidationError("--data is missing; name one or more files") }
    }

    func run() throws {
        let folder = output.url
        let trainer = try BytePairTrainer(size: size, minimumFrequency: minFrequency, specials: special)
        try refuseOverwriting(folder)
        let console = Console()
        defer { console.finish() }
        let vocabulary = try trainer.train(files: data.map(\.url), byDocuments: documents) { progress in
            switch progress {
            case .reading(let read):
                // Small files are done before a line about them is read.
                guard read.bytesTotal > 1 << 24 else { return }
                console.progress(
                    Double(read.bytesDone) / Double(max(1, read.bytesTotal)),
                    "reading \(read.file): \(read.bytesDone >> 20) of \(read.bytesTotal >> 20) MiB")
            case .merging(let done, let count):
                guard count > 1 << 13 else { return }
                console.progress(Double(done) / Double(count), "merging: \(done) of \(count) tokens")
            }
        }
        try vocabulary.write(to: folder)
        console.finish()
        if vocabulary.count < size {
            console.line(
                "\(vocabulary.count) tokens, not \(size): no other pair occurs \(max(1, minFrequency)) times; give more text or a lower --min-frequency"
            )
        }
        try StandardOutput.line("\(output.text): \(vocabulary.count) tokens, \(vocabulary.mergeCount) merges")
    }

    private func refuseOverwriting(_ folder: URL) throws {
        guard !force else { return }
        for name in TrainedVocabulary.fileNames {
            let file = folder.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: file.path) else { continue }
            throw SEDDError(.cannotWrite, "\(file.path): exists; choose another folder, or replace it with --force")
        }
    }
}
