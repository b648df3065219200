import Files
import Foundation
import Testing
import Text
import Torch

@testable import SEDD

@Suite struct StudyTests {
    /// A study of seconds: four models of one block, a handful of steps.
    private func plan(_ setting: TrainingTests.Setting) -> StudyPlan {
        var base = setting.configuration
        base.training.nIters = 6
        base.training.snapshotFreq = 6
        base.data.files = ["text.txt"]
        var plan = StudyPlan(base: base)
        plan.count = 20
        plan.promptedCount = 20
        plan.steps = [2, 4, 8]
        plan.samplers.append(SamplingSettings(method: "first-hitting"))
        plan.promptedSteps = 2
        plan.blocks = 4
        plan.timeSamples = 2
        return plan
    }

    private func study(
        _ setting: TrainingTests.Setting, _ name: String, shouldStop: @escaping () -> Bool = { false },
        stage: @escaping (String) -> Void = { _ in }
    ) throws -> (Study, URL) {
        let folder = setting.folder.url.appending(path: name)
        let made = try Study(
            plan(setting), folder: folder, dataset: setting.dataset, tokenizer: ByteTokenizer(),
            shouldStop: shouldStop
        ) { if case .stage(let name) = $0 { stage(name) } }
        return (made, folder)
    }

    /// Two processes in one folder would write each other's files.
    @Test func oneProcessWorksInAFolder() throws {
        let setting = try TrainingTests.Setting()
        let (study, folder) = try study(setting, "shared")
        let lock = try FileLock(folder.appending(path: ".lock"), what: "a study is running here")
        let error = withExtendedLifetime(lock) { #expect(throws: FileError.self) { try study.run() } }
        #expect(error?.kind == .cannotWrite)
        #expect(error?.description.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
    }

    /// Stopped repeatedly, even within a measurement, and resumed each time, a study gives the results of an
    /// uninterrupted one.
    @Test func itGoesOnWhereItStopped() throws {
        let setting = try TrainingTests.Setting()
        let (whole, folder) = try study(setting, "whole")
        try whole.run()
        var done = false
        var rounds = 0
        while !done, rounds < 80 {
            var asked = 0
            let (part, _) = try study(
                setting, "parts",
                shouldStop: {
                    asked += 1
                    return asked > 24
                })
            do {
                try part.run()
                done = true
            } catch let error as SEDDError { #expect(error.kind == .interrupted, "\(error)") }
            rounds += 1
        }
        #expect(done && rounds > 8, "\(rounds)")
        let parts = setting.folder.url.appending(path: "parts")
        for name in ["perplexity.csv", "prompted.csv"] {
            #expect(
                try String(contentsOf: folder.appending(path: name), encoding: .utf8)
                    == String(contentsOf: parts.appending(path: name), encoding: .utf8))
        }
        let report = try String(contentsOf: folder.appending(path: "report.md"), encoding: .utf8)
        for word in ["autoregressive", "absorb", "uniform", "Perplexity of held-out", "infilling", "Claim:", "nucleus"]
        {
            #expect(report.contains(word), "\(word)")
        }
        let rows = try String(contentsOf: folder.appending(path: "quality.csv"), encoding: .utf8).split(separator: "\n")
        // Held-out text, two autoregressive settings, two chains with two predictors at three step counts, and one
        // method of the absorbing chain that has no steps.
        #expect(rows.count == 1 + 3 + 12 + 1)
        #expect(rows.filter { $0.hasPrefix("absorb,first-hitting,,20,") }.count == 1)
        for name in StudyPlan.Role.allCases.map({ "configurations/\($0.rawValue).yaml" }) + [
            "perplexity.svg", "entropy.svg",
        ] {
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: name).path), "\(name)")
        }
        // A configuration from the report trains the same model.
        let yaml = folder.appending(path: "configurations/uniform.yaml")
        #expect(try ConfigurationFile.resolve(contentsOf: yaml) == plan(setting).configuration(.uniform))
    }

    @Test func anotherStudyIsNotTakenUp() throws {
        let setting = try TrainingTests.Setting()
        _ = try study(setting, "here")
        var other = plan(setting)
        other.count = 21
        let error = #expect(throws: SEDDError.self) {
            try Study(
                other, folder: setting.folder.url.appending(path: "here"), dataset: setting.dataset,
                tokenizer: ByteTokenizer(), shouldStop: { false }, report: { _ in })
        }
        #expect(error?.kind == .usage && error?.description.contains("other data or settings") == true)
        other.count = 19
        #expect(throws: SEDDError.self) { try other.validate() }
        // The same plan over a text that has changed.
        let changed = setting.folder.url.appending(path: "changed.txt")
        let text = try Data(contentsOf: setting.folder.url.appending(path: "text.txt"))
        try (text.dropLast() + Data("!".utf8)).write(to: changed)
        let dataset = try TokenDataset(
            sources: [changed], tokenizer: ByteTokenizer(),
            cache: TokenCache(folder: setting.folder.url.appending(path: "cache-of-changed")), heldOutFraction: 0.1)
        let second = #expect(throws: SEDDError.self) {
            try Study(
                plan(setting), folder: setting.folder.url.appending(path: "here"), dataset: dataset,
                tokenizer: ByteTokenizer(), shouldStop: { false }, report: { _ in })
        }
        #expect(second?.kind == .usage)
    }

    /// Missing data are reported before an hour of training.
    @Test func aTextThatIsTooShortIsToldFirst() throws {
        let setting = try TrainingTests.Setting()
        var long = plan(setting)
        long.count = 1000
        let error = #expect(throws: SEDDError.self) {
            try Study(
                long, folder: setting.folder.url.appending(path: "long"), dataset: setting.dataset,
                tokenizer: ByteTokenizer(), shouldStop: { false }, report: { _ in })
        }
        #expect(error?.kind == .invalidData && error?.description.contains("requires 2000") == true)
    }

    @Test func aBudgetFits() throws {
        let setting = try TrainingTests.Setting()
        let small = try StudyBudget(seconds: 60).fitted(
            plan(setting), heldOutBlocks: 1000, tokenizer: ByteTokenizer())
        let large = try StudyBudget(seconds: 600).fitted(
            plan(setting), heldOutBlocks: 1000, tokenizer: ByteTokenizer())
        #expect(small.base.training.nIters > 20 && large.base.training.nIters > 3 * small.base.training.nIters)
        #expect(small.count == 20)
        #expect(throws: SEDDError.self) {
            try StudyBudget(seconds: 0.01).fitted(
                plan(setting), heldOutBlocks: 1000, tokenizer: ByteTokenizer())
        }
    }

    @Test func models() {
        let plan = StudyPlan(base: TrainingConfiguration())
        let made = StudyPlan.Role.allCases.map { plan.configuration($0) }
        #expect(Set(made.map(\.model.nBlocks)).count == 1 && Set(made.map(\.training.nIters)).count == 1)
        #expect(plan.configuration(.uniform).model.scaleBySigma == false)
        #expect(plan.configuration(.judge).model.hiddenSize == 288)
        // The weights of the objective are made for the noise of absorb.
        var base = TrainingConfiguration()
        base.training.lossWeight = .time
        base.training.timeDensity.type = .normal
        let weighted = StudyPlan(base: base)
        #expect(weighted.configuration(.absorb).training.lossWeight == .time)
        #expect(weighted.configuration(.uniform).training.isBound)
        // The judge could not score tokens beyond the tokenizer's.
        base.model.padding = 3
        let error = #expect(throws: SEDDError.self) { try StudyPlan(base: base).validate() }
        #expect(error?.description.contains("model.padding is 3; expected 0 in a study") == true)
        #expect(plan.configuration(.judge).training.seed != plan.configuration(.autoregressive).training.seed)
    }

    /// Blocks differ by far more than the models do over the same block: a difference of 0.1 nats in each of them is
    /// decided, although either mean has an error of several times that.
    @Test(arguments: [
        ([0.1, 0.12, 0.08, 0.1], "holds"), ([-0.1, -0.12, -0.08, -0.1], "does not hold"),
        ([0.1, -0.1, 0.09, -0.08], "undecided"), (nil, "undecided"),
    ])
    func differencesAreThoseOfTheSameBlocks(_ differences: [Double]?, _ verdict: String) throws {
        let absorb = [1.0, 4, 2, 3]
        let uniform = zip(absorb, differences ?? [0.1, 0.1, 0.1, 0.1]).map { $0 + $1 }
        var results = StudyResults()
        for (role, values) in [(StudyPlan.Role.absorb, absorb), (.uniform, uniform)] {
            var sum = EvaluationSum(tokensPerBlock: 1)
            for value in values { sum.add([value]) }
            let json = """
                {"data": "x", "tokens": 4, "tokens_in_data": 4, "blocks": 4, "length": 1, "nats_per_token": \(sum.mean),
                "standard_error": \(try #require(sum.standardError)), "perplexity": 1, "bits_per_byte": 1, "terms": {},
                "exact": false, "convention": "bound", "precision": "float32", "seconds": 1}
                """
            let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(json.utf8))
            results.likelihoods.append(.init(model: role, report: report, blocks: differences == nil ? nil : values))
        }
        let lines = StudyFindings(plan: StudyPlan(base: TrainingConfiguration()), results: results).lines
        let line = try #require(lines.first { $0.contains("absorb is better than uniform") })
        #expect(line.hasSuffix("standard errors: \(verdict)."), "\(line)")
    }

    @Test func plotsHoldTheirPoints() {
        let plot = SVGPlot(
            title: "a < b", xLabel: "x", yLabel: "y",
            series: [
                .init(name: "curve", points: [(4, 32), (16, 16), (64, 8)]),
                .init(name: "level", points: [(1, 10)], isLevel: true),
            ])
        let svg = plot.svg()
        #expect(svg.hasPrefix("<svg") && svg.hasSuffix("</svg>\n") && svg.contains("a &lt; b"))
        #expect(svg.components(separatedBy: "<circle").count == 4)
        // On log-log axes the three points lie on a straight line.
        let path = svg.components(separatedBy: "<polyline points=\"")[1].components(separatedBy: "\"")[0]
        let points = path.split(separator: " ").map { $0.split(separator: ",").compactMap { Double($0) } }
        let slopes = zip(points, points.dropFirst()).map { ($1[1] - $0[1]) / ($1[0] - $0[0]) }
        #expect(abs(slopes[0] - slopes[1]) < 0.01, "\(slopes)")
        #expect(slopes[0] > 0, "downwards is greater on the screen")
    }

    /// For any losses, however large or close together, the ticks are few.
    @Test(arguments: [
        (7.795911979669728e-11, 7.79591197966973e-11), (1e-320, 2e-320), (0, 0), (0, 5e-324), (3, 3),
        (3, 3.0000000000000004),
        (-1, 1), (1e300, 1.7e308), (2.5, 2.5000001), (1e-30, 1e30),
    ])
    func axesOfAnyRange(_ low: Double, _ high: Double) {
        for isLog in [false, true] where !isLog || low > 0 {
            let svg = SVGPlot(
                title: "t", xLabel: "x", yLabel: "y", isLogX: false, isLogY: isLog,
                series: [.init(name: "curve", points: [(0, low), (1, high)])]
            ).svg()
            let ticks = svg.components(separatedBy: "<line").count
            #expect(ticks > 1 && ticks < 2100, "\(ticks) lines")
            #expect(!svg.contains("nan") && !svg.contains("inf"), "\(svg)")
        }
    }
}
