import Foundation
import Testing

/// `sedd inspect` on the small model: its output and its errors.
@Suite struct InspectTests {
    private let folder: TemporaryFolder
    private let model: URL

    init() async throws {
        folder = try TemporaryFolder()
        model = try await TinyRun.model()
    }

    private func inspect(_ entries: [PlainSafetensors.Entry], _ options: [String] = []) async throws
        -> SeddProcess.Result
    {
        let input = try folder.file("in.safetensors", PlainSafetensors.data(entries))
        return try await SeddProcess.run(
            ["inspect", "--model", model.path, "--input", input.path, "--output", folder.path("out.safetensors")]
                + options)
    }

    private let t = PlainSafetensors.floats("t", [0.3, 0.8], [2])
    private let xt = PlainSafetensors.integers("xt", [256, 97, 256, 98, 99, 256], [2, 3])
    private let x0 = PlainSafetensors.integers("x0", [100, 97, 101, 98, 99, 102], [2, 3])

    @Test func writesWhatWasAskedFor() async throws {
        let out = folder.url.appendingPathComponent("out.safetensors")
        let plain = try await inspect([t, xt])
        #expect(plain.code == 0, "\(plain.errors)")
        #expect(try Set(PlainSafetensors.read(out).keys) == ["sigma", "sigma_rate", "log_score"])
        let whole = try await inspect([t, xt, x0], ["--step-size", "0.1"])
        #expect(whole.code == 0, "\(whole.errors)")
        let shapes = try PlainSafetensors.read(out).mapValues(\.shape)
        #expect(
            shapes == [
                "sigma": [2], "sigma_rate": [2], "log_score": [2, 3, 257], "score_entropy": [2, 3], "loss": [2],
                "euler_probs": [2, 3, 257], "analytic_probs": [2, 3, 257], "denoise_probs": [2, 3, 256],
            ])
        #expect(try PlainSafetensors.read(out).values.allSatisfy { $0.dtype == "F32" })
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let name: String
        let times: PlainSafetensors.Entry?
        let states: PlainSafetensors.Entry?
        var clean: PlainSafetensors.Entry?
        let words: [String]
        var testDescription: String { name }
    }

    private static func states(_ values: Int64..., shape: [Int]? = nil, name: String = "xt") -> PlainSafetensors.Entry {
        PlainSafetensors.integers(name, values, shape ?? [1, values.count])
    }

    private static let time = PlainSafetensors.floats("t", [0.5], [1])

    static let table: [Bad] = [
        Bad(name: "no t", times: nil, states: states(97), words: ["'t'", "none"]),
        Bad(
            name: "t of another B", times: time, states: states(97, 98, shape: [2, 1]),
            words: ["t has shape [1]", "[2]"]),
        Bad(name: "xt of rank 1", times: time, states: states(97, shape: [1]), words: ["'xt'", "rank 2", "[1]"]),
        Bad(
            name: "nothing", times: PlainSafetensors.floats("t", [], [0]), states: states(shape: [0, 4]), words: ["'"]),
        Bad(name: "state out of range", times: time, states: states(97, 257), words: ["xt", "257", "0 to 256"]),
        Bad(
            name: "MASK in x0", times: time, states: states(97), clean: states(256, name: "x0"),
            words: ["x0", "256", "0 to 255"]),
        Bad(
            name: "a time above 1", times: PlainSafetensors.floats("t", [1.5], [1]), states: states(256),
            words: ["t ", "1.5"]),
        Bad(
            name: "a NaN time", times: PlainSafetensors.floats("t", [.nan], [1]), states: states(256),
            words: ["t ", "nan"]),
    ]

    @Test(arguments: table)
    func isRefused(bad: Bad) async throws {
        let result = try await inspect([bad.times, bad.states, bad.clean].compactMap { $0 })
        expectFailure(result, 65, [folder.path("in.safetensors")] + bad.words, bad.name)
        #expect(try contents(folder.url) == ["in.safetensors"], "nothing is written")
    }

    @Test func filesThatCannotBeReadOrWritten() async throws {
        let output = folder.path("out.safetensors")
        let absent = try await SeddProcess.run(
            ["inspect", "--model", model.path, "--input", folder.path("absent"), "--output", output])
        expectFailure(absent, 66, [folder.path("absent")], "no input")
        let text = try folder.file("text.safetensors", "hello, this is not a safetensors file").path
        let broken = try await SeddProcess.run(
            ["inspect", "--model", model.path, "--input", text, "--output", output])
        expectFailure(broken, 65, [text], "an input that is a text")
        let input = try folder.file("in.safetensors", PlainSafetensors.data([t, xt])).path
        let nowhere = try await SeddProcess.run(
            ["inspect", "--model", model.path, "--input", input, "--output", folder.path("absent/out.safetensors")])
        expectFailure(nowhere, 73, [folder.path("absent/out.safetensors")], "an output in a missing folder")
    }
}
