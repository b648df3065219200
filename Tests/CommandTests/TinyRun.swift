import Foundation
import Testing

/// A model that trains in a second: one block of width 32 over bytes, on a generated text.
enum TinyRun {
    /// A few hundred lines that read like English: subject, verb, object, place.
    static let text: String = {
        let subjects = ["the cat", "a dog", "the old man", "my sister", "the small bird", "a child", "the king"]
        let verbs = ["sees", "finds", "follows", "loves", "forgets", "carries"]
        let objects = ["the red ball", "a house", "some bread", "the long road", "a song", "the river"]
        let places = ["in the garden", "by the sea", "at night", "under the tree", "near the town"]
        return (0..<300).map { index in
            let (a, b) = (index * 7919 % 1009, index * 104_729 % 1013)
            return [
                subjects[a % subjects.count], verbs[b % verbs.count], objects[(a + b) % objects.count],
                places[(a / 7 + b / 6) % places.count],
            ].joined(separator: " ") + ".\n"
        }.joined()
    }()

    static let configuration = """
        model: {hidden_size: 32, cond_dim: 16, n_blocks: 1, n_heads: 2, length: 16}
        tokenizer: byte
        training:
          batch_size: 4
          n_iters: 120
          log_freq: 1
          eval_freq: 40
          eval_blocks: 4
          eval_times: 2
          snapshot_freq: 40
          sample_freq: 120
          ema: 0.9
        sampling: {steps: 4, count: 1}
        optim: {lr: 5.0e-3, warmup: 10}
        """

    /// Writes configuration and text into `folder` and returns the arguments that train on them.
    static func arguments(
        in folder: TemporaryFolder, output: String = "run", configuration: String = configuration, set: [String] = []
    ) throws -> [String] {
        let config = try folder.file("tiny.yaml", configuration)
        let data = try folder.file("story.txt", text)
        return ["train", "--config", config.path] + set.flatMap { ["--set", $0] }
            + ["--data", data.path, "--output", folder.path(output)]
    }

    /// A finished run of ``configuration``, trained once for all tests; not to be changed.
    static func shared() async throws -> URL { try await training.value }

    private static let training = Task {
        let result = try await SeddProcess.run(arguments(in: kept.get()))
        try #require(result.code == 0, "\(result.errors)")
        // The data stay beside the run, because resuming a copy needs them.
        atexit { TinyRun.remove() }
        return try kept.get().url.appendingPathComponent("run")
    }

    /// A finished autoregressive run of the same configuration; not to be changed.
    static func sharedBaseline() async throws -> URL { try await trainingBaseline.value }

    private static let trainingBaseline = Task {
        let result = try await SeddProcess.run(arguments(in: keptBaseline.get(), set: ["model=autoregressive"]))
        try #require(result.code == 0, "\(result.errors)")
        atexit { TinyRun.remove() }
        return try keptBaseline.get().url.appendingPathComponent("run")
    }

    private static let kept = Result { try TemporaryFolder() }
    private static let keptBaseline = Result { try TemporaryFolder() }

    private static func remove() {
        for folder in [kept, keptBaseline] {
            if let folder = try? folder.get() { try? FileManager.default.removeItem(at: folder.url) }
        }
    }

    /// The model of the shared run.
    static func model() async throws -> URL { try await shared().appendingPathComponent("checkpoints/step-120") }

    /// A copy with a modified `config.json`: each pattern replaced.
    static func model(in folder: TemporaryFolder, replacing changes: [(String, String)] = []) async throws -> URL {
        let copy = try await folder.copy(model(), as: "model")
        let file = copy.appendingPathComponent("config.json")
        var text = try String(contentsOf: file, encoding: .utf8)
        for (old, new) in changes {
            try #require(text.contains(old), "\(old) is in \(text)")
            text = text.replacingOccurrences(of: old, with: new)
        }
        if !changes.isEmpty {
            try Data(text.utf8).write(to: file)
            // Its checksums are those of the original files.
            try FileManager.default.removeItem(at: copy.appendingPathComponent("manifest.json"))
        }
        return copy
    }

    /// The objects in `metrics.jsonl` of a run.
    static func metrics(_ run: URL) throws -> [[String: Any]] {
        try objects(String(contentsOf: run.appendingPathComponent("metrics.jsonl"), encoding: .utf8))
    }

    /// Loss by step.
    static func losses(_ run: URL) throws -> [Int: Double] {
        let pairs = try metrics(run).compactMap { line -> (Int, Double)? in
            guard let step = line["step"] as? Int, let loss = line["loss"] as? Double else { return nil }
            return (step, loss)
        }
        return Dictionary(pairs) { $1 }
    }
}
