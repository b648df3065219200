import Foundation
import SEDD
import Text

// A small text: sentences of three words in varying combinations.
let subjects = ["cats", "dogs", "birds"]
let verbs = ["see", "like", "chase"]
var story = ""
for index in 0..<3000 {
    story += "\(subjects[index % 3]) \(verbs[index / 3 % 3]) \(subjects[index / 9 % 3]).\n"
}
let folder = FileManager.default.temporaryDirectory.appending(path: "train-and-sample-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }
let text = folder.appending(path: "story.txt")
try Data(story.utf8).write(to: text)

// Train a small model on it.
var configuration = TrainingConfiguration()
configuration.model.hiddenSize = 64
configuration.model.nBlocks = 2
configuration.model.length = 32
configuration.training.nIters = 200
configuration.training.sampleFreq = 0
configuration.optim.lr = 3e-3
configuration.optim.warmup = 20
let tokenizer = try CharacterTokenizer(alphabetOf: text)
let dataset = try TokenDataset(
    sources: [text], tokenizer: tokenizer, cache: TokenCache(folder: folder), heldOutFraction: 0.1)
let run = RunFolder(folder.appending(path: "run"))
try run.create(configuration)
let trainer = try Trainer(configuration, run: run, dataset: dataset, tokenizer: tokenizer)
try trainer.train { event in
    if case .validation(let step, let estimate) = event {
        print("step \(step): \(estimate.mean.formatted(.number.precision(.fractionLength(3)))) nats a character")
    }
}

// Fill a hole with the moving average, and show how many positions have settled.
let template = try Template("cats [[*]] birds.\n").positions(tokenizer: tokenizer, length: 32, modelLength: 32)
for try await states in try Sampler(network: trainer.averaged.diffusion()).states([
    .init(template: template, seed: 1, steps: 16)
]) {
    let settled = states[0].states.count { $0 < tokenizer.vocabularySize }
    print("\(settled) of 32 settled")
    if states[0].isFinished { print(try tokenizer.text(of: states[0].states.map(Int32.init))) }
}
