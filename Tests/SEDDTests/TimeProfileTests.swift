import Foundation
import Testing
import Torch

@testable import SEDD

struct TimeProfileTests {
    @Test func theDensityFollowsTheRootMeanSquare() {
        var profile = TimeProfile()
        let smallest = 1e-3
        // Losses of 3 below one half, of 1 above; two values of each so that squares matter and not means.
        for index in 0..<3200 {
            let time = smallest + (1 - smallest) * (Double(index) + 0.5) / 3200
            let scale = index < 1600 ? 3.0 : 1.0
            profile.add(time: time, loss: index % 2 == 0 ? 0 : scale * 2.0.squareRoot(), smallestTime: smallest)
        }
        #expect(
            profile.table(smallestTime: smallest).relative.allSatisfy { abs($0 - 1) < 1e-12 }, "uniform before a fit")
        profile.fit()
        let table = profile.table(smallestTime: smallest)
        #expect(abs(table.density(0.2) - (0.2 + 0.8 * 1.5)) < 1e-9)
        #expect(abs(table.density(0.8) - (0.2 + 0.8 * 0.5)) < 1e-9)
        #expect(abs(table.relative.reduce(0, +) / Double(TimeProfile.bins) - 1) < 1e-12)
    }

    @Test func olderMeasurementsCountLess() {
        var profile = TimeProfile()
        for _ in 0..<20 {
            for bin in 0..<TimeProfile.bins {
                let time = (Double(bin) + 0.5) / Double(TimeProfile.bins)
                profile.add(time: time, loss: bin == 3 ? 5 : 1, smallestTime: 0)
            }
            profile.fit()
        }
        for _ in 0..<20 {
            for bin in 0..<TimeProfile.bins {
                profile.add(time: (Double(bin) + 0.5) / Double(TimeProfile.bins), loss: 1, smallestTime: 0)
            }
            profile.fit()
        }
        #expect(profile.masses.allSatisfy { abs($0 - 1) < 1e-4 }, "the loss of 5 is forgotten")
    }

    @Test func nothingMeasuredIsNothingFitted() {
        var profile = TimeProfile()
        profile.fit()
        #expect(profile == TimeProfile())
        profile.add(time: 0.5, loss: 2, smallestTime: 1e-3)
        profile.fit()
        #expect(profile.masses.allSatisfy { abs($0 - 1) < 1e-12 }, "bins without a measurement take the mean")
    }

    @Test func aFittedRunResumesToTheByte() throws {
        let setting = try TrainingTests.Setting()
        setting.configuration.training.timeDensity.type = .fitted
        setting.configuration.training.timeDensity.refit = 3
        setting.configuration.training.timeDensity.correction = .full
        let (whole, _) = try setting.trainer("whole")
        try whole.train { _ in }
        let (first, _) = try setting.trainer("parts")
        var steps = 0
        _ = try? first.train(shouldStop: {
            steps += 1; return steps == 7
        }) { _ in }
        let (second, run) = try setting.trainer("parts", create: false)
        try second.train { _ in }
        #expect(try whole.weights.flat.bytes() == second.weights.flat.bytes())
        let progress = try JSONDecoder().decode(
            CheckpointStore.Progress.self,
            from: Data(contentsOf: run.checkpoints.url(step: 12).appending(path: "training/progress.json")))
        #expect(progress.times.map { Set($0.masses).count > 4 } == true, "the density is no longer uniform")
    }
}
