import Files
import HTTPTypes
import SEDD
import Testing

@testable import SEDDServer

/// Invalid input: the status, the member named, and words of the message.
struct RequestTests {
    struct Bad: CustomTestStringConvertible, Sendable {
        let path: String
        let body: String
        var status = 400
        let parameter: String?
        let words: String
        var testDescription: String { "\(path) \(body.prefix(100))" }

        static func completion(_ body: String, _ parameter: String?, _ words: String, status: Int = 400) -> Bad {
            Bad(path: "/v1/completions", body: body, status: status, parameter: parameter, words: words)
        }

        static func infill(_ body: String, _ parameter: String?, _ words: String, status: Int = 400) -> Bad {
            Bad(path: "/v1/infill", body: body, status: status, parameter: parameter, words: words)
        }
    }

    static let bad: [Bad] = [
        .completion("", nil, "not valid JSON"), .completion("{", nil, "not valid JSON"),
        .completion("[]", nil, "an array"),
        .completion("\"text\"", nil, "a string"),
        .completion("{\"model\": \"gpt-4\"}", "model", "'gutenberg'", status: 404),
        .completion("{\"model\": 7}", "model", "expected a string"),
        .completion("{\"prompt\": 7}", "prompt", "expected a string"),
        .completion("{\"prompt\": []}", "prompt", "empty"),
        .completion("{\"prompt\": [1, \"a\"]}", "prompt", "token id"),
        .completion("{\"prompt\": [256]}", "prompt", "0 to 255"),
        .completion("{\"prompt\": [-1]}", "prompt", "0 to 255"),
        .completion("{\"prompt\": [\"a\", 7]}", "prompt", "in the array"),
        .completion("{\"prompt\": {}}", "prompt", "an object"),
        .completion("{\"max_tokens\": 1025}", "max_tokens", "0 to 1024"),
        .completion("{\"max_tokens\": -5}", "max_tokens", "-5"),
        .completion("{\"max_tokens\": 1e300}", "max_tokens", "0 to 1024"),
        .completion("{\"max_tokens\": 99999999999999999999999}", "max_tokens", "0 to 1024"),
        .completion("{\"max_tokens\": 1.5}", "max_tokens", "1.5"),
        .completion("{\"max_tokens\": \"16\"}", "max_tokens", "a string"),
        .completion("{\"max_tokens\": true}", "max_tokens", "a boolean"),
        .completion("{\"prompt\": \"abc\", \"max_tokens\": 1024}", "max_tokens", "1024 in total"),
        .completion("{\"prompt\": \"\(String(repeating: "a", count: 2000))\"}", "prompt", "1024 in total"),
        .completion("{\"n\": 129}", "n", "1 to 128"), .completion("{\"n\": 0}", "n", "1 to 128"),
        .completion("{\"n\": 39121}", "n", "1 to 128"),
        .completion(
            "{\"prompt\": [\"a\", \"b\", \"c\"], \"n\": 50}", "n", "150 completions; the server's limit is 128"),
        .completion(
            "{\"prompt\": [\(String(repeating: "\"a\",", count: 128))\"a\"]}", "prompt",
            "has 129 prompts; the server's limit is 128"),
        .completion(
            "{\"prompt\": [\"a\", \"\(String(repeating: "b", count: 1100))\"]}", "prompt", "1100 tokens of prompt 1"),
        .completion(
            "{\"prompt\": \"a\", \"suffix\": \"\(String(repeating: "b", count: 1100))\"}", "suffix", "1100 of suffix"),
        .completion("{\"seed\": 1.5}", "seed", "1.5"),
        .completion("{\"seed\": 18446744073709551616}", "seed", "64-bit"),
        .completion("{\"seed\": -9223372036854775809}", "seed", "64-bit"),
        .completion("{\"seed\": -9223372036854775808.0}", "seed", "64-bit"),
        .completion("{\"seed\": -9.223372036854775808e18}", "seed", "64-bit"),
        .completion("{\"seed\": \"1\"}", "seed", "a string"),
        .infill("{\"template\": \"a\", \"seed\": -9223372036854775809}", "seed", "64-bit"),
        .completion("{\"steps\": 0}", "steps", "1 to 1024"), .completion("{\"steps\": 100000}", "steps", "100000"),
        .completion("{\"sampler\": \"ddim\"}", "sampler", "analytic, euler"),
        .completion("{\"stream\": \"yes\"}", "stream", "true or false"),
        .completion("{\"stream_options\": {}}", "stream_options", "without stream"),
        .completion("{\"stream\": true, \"stream_options\": {\"usage\": true}}", "usage", "include_usage"),
        .completion(
            "{\"stop\": [\"a\", \"b\", \"c\", \"d\", \"e\"]}", "stop", "stop has 5 strings; expected at most 4"),
        .completion("{\"stop\": [\"\"]}", "stop", "an empty string"), .completion("{\"stop\": 5}", "stop", "a string"),
        .completion("{\"stop\": [5]}", "stop", "5 in its array"),
        .completion(
            "{\"stop\": \"\(String(repeating: "a", count: 257))\"}", "stop", "257 code points; expected at most 256"),
        .completion("{\"max_tokens\": 1e400}", "max_tokens", "inf"),
        .completion("{\"n\": 1, \"n\": 2}", nil, "repeated member"),
        .completion("{\"prompt\": \(String(repeating: "[", count: 400))", nil, "levels"),
        .completion("{\"prompt\": [\(String(repeating: "1,", count: 100_001))1]}", nil, "100000 values"),
        .completion("{\"temperature\": -0.7}", "temperature", "-0.7"),
        .completion("{\"temperature\": \"1\"}", "temperature", "a string"),
        .completion("{\"temperature\": 1e999}", "temperature", "0 to 100"),
        .completion("{\"presence_penalty\": 3}", "presence_penalty", "-2 to 2"),
        .completion("{\"frequency_penalty\": true}", "frequency_penalty", "a boolean"),
        .completion("{\"top_p\": 1.5}", "top_p", "1.5"), .completion("{\"top_k\": 0}", "top_k", "whole number"),
        .completion("{\"grid\": \"square\"}", "grid", "linear, cosine"),
        .completion("{\"grid\": \"profile\"}", "grid", "sedd profile"),
        .completion("{\"gamma\": 1}", "sampler", "entropy-bound"),
        .completion("{\"sampler\": \"entropy-bound\", \"gamma\": -1}", "gamma", "from 0 to 1000"),
        .completion("{\"sampler\": \"remask\", \"strategy\": \"all\"}", "strategy", "cap, rescale"),
        .completion("{\"logprobs\": 3}", "logprobs", "left to right"),
        .completion("{\"best_of\": 4}", "best_of", "expected n, 1"),
        .completion("{\"best_of\": 2, \"n\": 3}", "best_of", "expected n, 3"),
        .completion("{\"messages\": []}", "messages", "send the text as prompt"),
        .completion("{\"max_completion_tokens\": 5}", "max_completion_tokens", "send max_tokens"),
        .completion("{\"max_token\": 5}", "max_token", "did you mean max_tokens?"),
        .completion(
            "{\"stream\": true, \"stream_options\": {\"include_obfuscation\": 1}}", "include_obfuscation",
            "true or false"),
        .completion("{\"logit_bias\": {\"5\": 1}}", "logit_bias", "biasing"),
        .completion("{\"user\": 5}", "user", "a string"), .completion("{\"step\": 5}", "step", "did you mean steps?"),
        .completion("{\"\\u0000\": 5}", "\u{0}", "not a member"),
        .infill("{}", "template", "both missing"),
        .infill("{\"template\": \"a\", \"segments\": []}", "segments", "mutually exclusive"),
        .infill("{\"template\": \"a [[0]]\"}", "template", "[[0]]"),
        .infill("{\"template\": \"a [[x]]\"}", "template", "[[x]]"),
        .infill("{\"template\": \"a [[5\"}", "template", "does not begin a hole"),
        .infill("{\"template\": \"abcdef [[20]]\", \"length\": 10}", "template", "27 tokens"),
        .infill("{\"template\": \"[[16000000]]\"}", "template", "1024 in total"),
        .infill("{\"template\": \"[[99999999999]]\"}", "template", "[[9999"),
        .infill("{\"template\": \"\(String(repeating: "[[1]]", count: 2000))\"}", "template", "1024 in total"),
        .infill("{\"template\": \"[[900]]\(String(repeating: "a", count: 200))\"}", "template", "1100 tokens"),
        .infill("{\"segments\": []}", "segments", "empty"),
        .infill("{\"segments\": {}}", "segments", "array of objects"),
        .infill("{\"segments\": [{\"hole\": -3}]}", "segments", "-3"),
        .infill("{\"segments\": [{\"hole\": \"many\"}]}", "segments", "\"*\""),
        .infill("{\"segments\": [{\"text\": \"a\", \"hole\": 3}]}", "segments", "one of text, hole and end"),
        .infill("{\"segments\": [5]}", "segments", "one of text, hole and end"),
        .infill("{\"template\": \"a\", \"length\": 5000}", "length", "1 to 1024"),
        .infill("{\"template\": \"a[[3]]\", \"alternatives\": 11}", "alternatives", "0 to 10"),
        .infill("{\"template\": \"a[[3]]\", \"temprature\": 1}", "temprature", "did you mean temperature?"),
    ]

    @Test(arguments: bad) func badInput(_ bad: Bad) throws {
        let model = try Bundled.model.get()
        let limits = ServerLimits(modelLength: model.length)
        let error = #expect(throws: APIError.self) {
            var fields = try RequestFields(body: Array(bad.body.utf8))
            if bad.path == "/v1/completions" {
                _ = try CompletionRequest(&fields, model: model, limits: limits)
            } else {
                _ = try InfillRequest(&fields, model: model, limits: limits)
            }
        }
        let found = try #require(error)
        #expect(Int(found.status.code) == bad.status)
        #expect(found.parameter == bad.parameter)
        #expect(found.message.contains(bad.words), "\(found.message)")
        #expect(!found.message.contains("\n") && found.message.utf8.count < 400)
    }

    @Test func whatIsNotUTF8() {
        #expect(throws: APIError.self) {
            try RequestFields(body: Array("{\"prompt\": \"".utf8) + [0xFF, 0xFE] + Array("\"}".utf8))
        }
    }

    @Test func defaultsAreThePublishedOnes() throws {
        let model = try Bundled.model.get()
        var fields = try RequestFields(
            body: Array(
                "{\"prompt\": \"ab\", \"temperature\": 1, \"top_p\": 1.0, \"stop\": null, \"logit_bias\": {}, \"n\": null}"
                    .utf8))
        let request = try CompletionRequest(&fields, model: model, limits: ServerLimits(modelLength: 256))
        #expect(request.prompts == [[97, 98]] && request.suffix.isEmpty)
        #expect(request.tokens == 16 && request.count == 1 && request.stops.isEmpty)
        #expect(!request.isStreamed && !request.echo)
        #expect(request.fields.settings == SamplingSettings(steps: 64))
    }

    @Test(arguments: [
        ("{\"template\": \"ab[[3]]c\"}", "ab...c"),
        ("{\"segments\": [{\"text\": \"ab\"}, {\"hole\": 3}, {\"text\": \"c\"}]}", "ab...c"),
        ("{\"template\": \"ab[[*]]c\", \"length\": 8}", "ab.....c"),
        ("{\"segments\": [{\"hole\": \"*\"}, {\"text\": \"[[3]]\"}], \"length\": 8}", "...[[3]]"),
        ("{\"template\": \"\\\\[[3]]\", \"length\": 7}", "[[3]].."),
    ])
    func templates(_ body: String, _ expected: String) throws {
        let model = try Bundled.model.get()
        var fields = try RequestFields(body: Array(body.utf8))
        let request = try InfillRequest(&fields, model: model, limits: ServerLimits(modelLength: 256))
        let shown = request.template.map { $0.map { String(UnicodeScalar(UInt8($0))) } ?? "." }.joined()
        #expect(shown == expected)
    }

    /// Only a close name is suggested.
    @Test(arguments: ["ignore_eos", "metadata", "colour", "x", "tools", "response_format", "xy"])
    func farNames(_ name: String) throws {
        let model = try Bundled.model.get()
        var fields = try RequestFields(body: Array("{\"\(name)\": false}".utf8))
        let error = #expect(throws: APIError.self) {
            try CompletionRequest(&fields, model: model, limits: ServerLimits(modelLength: 256))
        }
        #expect(error?.message == "'\(name)' is not a member of this request")
    }

    struct Taken: CustomTestStringConvertible, Sendable {
        let body: String
        let ignored: [String]
        var testDescription: String { body }
    }

    /// What OpenAI's, LangChain's and LiteLLM's clients send by default.
    @Test(arguments: [
        Taken(
            body:
                "{\"prompt\": \"a\", \"temperature\": 0.7, \"top_p\": 1, \"n\": 1, \"max_tokens\": 256, \"presence_penalty\": 0, \"frequency_penalty\": 0, \"logit_bias\": null, \"seed\": null}",
            ignored: []),
        Taken(body: "{\"temperature\": 0, \"top_p\": 0}", ignored: []),
        Taken(
            body: "{\"temperature\": 2, \"presence_penalty\": -2, \"frequency_penalty\": 0.5}",
            ignored: ["presence_penalty", "frequency_penalty"]),
        Taken(body: "{\"n\": 3, \"best_of\": 3}", ignored: []), Taken(body: "{\"best_of\": 1}", ignored: []),
        Taken(
            body: "{\"stream\": true, \"stream_options\": {\"include_usage\": true, \"include_obfuscation\": false}}",
            ignored: []),
        Taken(
            body: "{\"stream\": true, \"stream_options\": {\"include_obfuscation\": true}}",
            ignored: ["stream_options.include_obfuscation"]),
        Taken(
            body:
                "{\"stream\": false, \"stream_options\": null, \"logprobs\": null, \"suffix\": null, \"user\": \"u\"}",
            ignored: []),
        Taken(body: "{\"temperature\": 1.0, \"top_p\": 1.0}", ignored: []),
    ])
    func settingsOfOthers(_ given: Taken) throws {
        let model = try Bundled.model.get()
        var fields = try RequestFields(body: Array(given.body.utf8))
        let request = try CompletionRequest(&fields, model: model, limits: ServerLimits(modelLength: 256))
        #expect(request.ignored == given.ignored)
    }

    @Test(arguments: [
        ("0", 0, "0"), ("7", 7, "7"), ("9007199254740993", 9_007_199_254_740_993, "9007199254740993"),
        ("9223372036854775807", 9_223_372_036_854_775_807, "9223372036854775807"),
        ("-9223372036854775808", 9_223_372_036_854_775_808, "-9223372036854775808"),
        ("-2", UInt64.max - 1, "-2"), ("18446744073709551615", UInt64.max, "18446744073709551615"),
        ("9223372036854775808", 9_223_372_036_854_775_808, "-9223372036854775808"), ("1e3", 1000, "1000"),
    ])
    func seeds(_ text: String, _ expected: UInt64, _ told: String) throws {
        let model = try Bundled.model.get()
        var fields = try RequestFields(body: Array("{\"prompt\": \"a\", \"seed\": \(text)}".utf8))
        let request = try CompletionRequest(&fields, model: model, limits: ServerLimits(modelLength: 256))
        #expect(request.fields.seed == expected)
        #expect(try JSON.text(SeedNumber(expected)) == told)
    }

    @Test(arguments: ["{}", "{\"seed\": -1}", "{\"seed\": null}"]) func seedsThatAreDrawn(_ body: String) throws {
        let model = try Bundled.model.get()
        let seeds = try (0..<3).map { _ in
            var fields = try RequestFields(body: Array(body.utf8))
            return try CompletionRequest(&fields, model: model, limits: ServerLimits(modelLength: 256)).fields.seed
        }
        // False alarm: one run in 2^31.
        #expect(Set(seeds).count == 3 && seeds.allSatisfy { $0 < 1 << 32 })
    }

    /// Seeds increase over all sequences of a request, so that equal prompts get different texts.
    @Test func seedsOfEqualPrompts() throws {
        let model = try Bundled.model.get()
        var fields = try RequestFields(body: Array("{\"prompt\": [\"a\", \"a\"], \"n\": 2, \"seed\": -2}".utf8))
        let request = try CompletionRequest(&fields, model: model, limits: ServerLimits(modelLength: 256))
        #expect(try request.sequences(model).map(\.seed) == [UInt64.max - 1, .max, 0, 1])
    }

    @Test func asManyPromptsAsAClientSends() throws {
        let model = try Bundled.model.get()
        let prompts = (0..<20).map { "\"\($0)\"" }.joined(separator: ", ")
        var fields = try RequestFields(body: Array("{\"prompt\": [\(prompts)], \"max_tokens\": 256}".utf8))
        #expect(
            try CompletionRequest(&fields, model: model, limits: ServerLimits(modelLength: 256)).prompts.count == 20)
    }
}
