import Files
import Foundation
import Testing
import Torch

@testable import SEDD

struct CheckpointStoreTests {
    private typealias Setting = TrainingTests.Setting

    @Test func checkpointsAreKeptAndPruned() throws {
        let setting = try Setting()
        let (trainer, run) = try setting.trainer("kept")
        try trainer.train { _ in }
        let steps = run.checkpoints.steps()
        #expect(steps.suffix(2) == [8, 12])
        #expect(steps.count <= 3, "the last two and the best: \(steps)")
        let last = run.url.appending(path: "checkpoints/last")
        #expect(try ModelFolder.load(last).configuration.tokens == 256)
    }

    @Test(arguments: ["model.safetensors", "training/moment1.safetensors", "training/progress.json"])
    func damagedCheckpointsFallBack(_ file: String) throws {
        let setting = try Setting()
        let (trainer, run) = try setting.trainer("damaged")
        try trainer.train { _ in }
        func damage(_ step: Int) throws {
            let url = run.checkpoints.url(step: step).appending(path: file)
            var bytes = try Data(contentsOf: url)
            bytes[bytes.count - 2] ^= 1
            try bytes.write(to: url)
        }
        try damage(12)
        let (again, _) = try setting.trainer("damaged", create: false)
        var told: [String] = []
        try again.train { event in
            if case .damaged(let checkpoint, let reason) = event { told.append("\(checkpoint.path) \(reason)") }
        }
        #expect(told.count == 1 && told[0].contains("step-12") && told[0].contains(file), "\(told)")
        for step in run.checkpoints.steps() { try damage(step) }
        let (last, _) = try setting.trainer("damaged", create: false)
        let error = #expect(throws: SEDDError.self) { try last.train { _ in } }
        #expect(error?.kind == .invalidData)
        #expect(error?.description.contains(file) == true)
    }

    /// A damaged file is passed over for one that is intact, whatever else is damaged.
    @Test func newestWithAnIntactFile() throws {
        let setting = try Setting()
        let (trainer, run) = try setting.trainer("intact")
        try trainer.train { _ in }
        let steps = Array(run.checkpoints.steps().suffix(2))
        let newest = run.checkpoints.url(step: steps[1])
        #expect(run.checkpoints.newest(withIntact: "config.json") == newest)
        try Data("{}".utf8).write(to: newest.appending(path: "config.json"))
        #expect(run.checkpoints.newest(withIntact: "config.json") == run.checkpoints.url(step: steps[0]))
        #expect(run.checkpoints.newest(withIntact: "model.safetensors") == newest)
    }

    /// A run that fell back keeps the checkpoint that it writes before it reaches the damaged one.
    @Test func whatIsSavedAfterFallingBackIsKept() throws {
        let setting = try Setting()
        setting.configuration.training.keep = 1
        let run = try setting.stopped("fallen")
        let stopped = try #require(run.checkpoints.steps().last)
        let damaged = run.checkpoints.url(step: 1000)
        try FileManager.default.createDirectory(at: damaged, withIntermediateDirectories: false)
        let (again, _) = try setting.trainer("fallen", create: false)
        var told = 0
        let error = #expect(throws: SEDDError.self) {
            try again.train(shouldStop: { true }) { if case .damaged = $0 { told += 1 } }
        }
        #expect(error?.kind == .interrupted && told == 1)
        #expect(run.checkpoints.steps() == [stopped + 1, 1000])
        let (rest, _) = try setting.trainer("fallen", create: false)
        try rest.train { _ in }
        #expect(try #require(run.checkpoints.best()).step == 12, "the damaged one is passed over")
    }

    /// Listings and `--model RUN` name the best checkpoint without reading anything else of the newest one.
    @Test func theBestIsTakenFromAnIntactRecord() throws {
        let setting = try Setting()
        setting.configuration.training.evalFreq = 4
        let (trainer, run) = try setting.trainer("best")
        try trainer.train { _ in }
        let best = try #require(run.checkpoints.best())
        #expect(best.step == 12)
        func invent(_ step: Int) throws {
            let invented = CheckpointStore.Progress(step: step, best: .init(step: 8, validation: 0.1), times: nil)
            try Data(JSON.encode(invented)).write(
                to: run.checkpoints.url(step: step).appending(path: "training/progress.json"))
        }
        try invent(12)
        let before = try #require(run.checkpoints.best(), "that of step 8")
        #expect(before.step == 8 && before.validation > best.validation)
        try invent(8)
        #expect(run.checkpoints.best() == nil)
    }

    /// Steps are counted on from the one in `progress.json`, so a checkpoint with another one is damaged even if its
    /// checksums are right.
    @Test(arguments: [Int.min, -1, 0, 11, Int.max])
    func aForeignStepIsDamage(_ step: Int) throws {
        let setting = try Setting()
        let (trainer, run) = try setting.trainer("foreign")
        try trainer.train { _ in }
        let checkpoint = run.checkpoints.url(step: 12)
        let progress = CheckpointStore.Progress(step: step, best: nil, times: nil)
        try Data(JSON.encode(progress)).write(to: checkpoint.appending(path: "training/progress.json"))
        try FileManager.default.removeItem(at: checkpoint.appending(path: Manifest.fileName))
        try Manifest(of: checkpoint).write(to: checkpoint)
        let (again, _) = try setting.trainer("foreign", create: false)
        var told: [String] = []
        try again.train { event in
            if case .damaged(let place, let reason) = event { told.append("\(place.path) \(reason)") }
        }
        #expect(told.count == 1 && told[0].contains("step-12") && told[0].contains("step is \(step)"), "\(told)")
    }

    @Test func leftoversOfAKilledSaveAreHarmless() throws {
        let setting = try Setting()
        let (trainer, run) = try setting.trainer("killed")
        var stop = false
        _ = try? trainer.train(shouldStop: { stop }) { if case .checkpoint = $0 { stop = true } }
        let partial = run.url.appending(path: "checkpoints/.step-8.partial")
        try FileManager.default.createDirectory(at: partial, withIntermediateDirectories: true)
        try Data("half".utf8).write(to: partial.appending(path: "model.safetensors"))
        let (again, _) = try setting.trainer("killed", create: false)
        try again.train { _ in }
        #expect(run.checkpoints.steps().last == 12)
        #expect(!FileManager.default.fileExists(atPath: partial.path))
    }
}
