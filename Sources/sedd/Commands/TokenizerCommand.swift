import ArgumentParser
import Files
import Foundation
import SEDD
import Text

/// Commands that create tokenizers.
struct TokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer", abstract: "Create a tokenizer.", subcommands: [TokenizerTrain.self])
}

struct TokenizerTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a byte-level BPE vocabulary on texts.",
        discussion: """
            The merges equal those that Hugging Face's trainer learns from the same strings with GPT-2's pre-tokenization, and \
            tokenizer.json, vocab.json and merges.txt equal the files that it would write. A string is a plain file, a row of a \
            JSON file, or with --documents a text between two <|endoftext|>.

            The special token '<|endoftext|>' becomes the tokenizer's end of text.

            Example:
              sedd tokenizer train --data stories.txt --documents --size 2048 --special '<|endoftext|>' --output DIR
            """)

    @Option(parsing: .upToNextOption, help: ArgumentHelp("One or more texts in UTF-8.", valueName: "file"))
    var data: [PathArgument] = []
    @Option(help: ArgumentHelp("Vocabulary size: special tokens, the 256 bytes, and merges.", valueName: "N"))
    var size: Int
    @Option(help: ArgumentHelp("Folder for the tokenizer's files.", valueName: "dir")) var output: PathArgument
    @Option(help: ArgumentHelp("Minimum occurrences for a pair to be merged.", valueName: "N")) var minFrequency = 2
    @Option(help: ArgumentHelp("A special token; repeatable.", valueName: "text")) var special: [String] = []
    @Flag(
        help: "Split files into documents as sedd train does, so that nothing is learned from <|endoftext|>."
    )
    var documents = false
    @Flag(help: "Replace existing tokenizer files.") var force = false

    func validate() throws {
        guard !data.isEmpty else { throw ValidationError("--data is missing; expected one or more files") }
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
                // Small files finish before a line about them could be read.
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
                "\(vocabulary.count) tokens, not \(size): no other pair occurs \(max(1, minFrequency)) times; add text or lower --min-frequency"
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
