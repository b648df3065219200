import HTTPTypes
import SEDD
import Testing

@testable import SEDDServer

/// What bad input gets: the status, the member that is named, and words of the message.
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
        .completion("", nil, "no JSON"), .completion("{", nil, "no JSON"), .completion("[]", nil, "an array"),
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
        .completion("{\"max_tokens\": 0}", "max_tokens", "1 to 1024"),
        .completion("{\"max_tokens\": -5}", "max_tokens", "-5"),
        .completion("{\"max_tokens\": 1e300}", "max_tokens", "1 to 1024"),
        .completion("{\"max_tokens\": 99999999999999999999999}", "max_tokens", "1 to 1024"),
        .completion("{\"max_tokens\": 1.5}", "max_tokens", "1.5"),
        .completion("{\"max_tokens\": \"16\"}", "max_tokens", "a string"),
        .completion("{\"max_tokens\": true}", "max_tokens", "a boolean"),
        .completion("{\"prompt\": \"abc\", \"max_tokens\": 1024}", "max_tokens", "1024 together"),
        .completion("{\"prompt\": \"\(String(repeating: "a", count: 2000))\"}", "prompt", "1024 together"),
        .completion("{\"n\": 17}", "n", "1 to 16"), .completion("{\"n\": 0}", "n", "1 to 16"),
        .completion("{\"prompt\": [\"a\", \"b\", \"c\"], \"n\": 6}", "n", "16 at a time"),
        .completion("{\"seed\": -1}", "seed", "-1"), .completion("{\"seed\": 1.5}", "seed", "1.5"),
        .completion("{\"steps\": 0}", "steps", "1 to 1024"), .completion("{\"steps\": 100000}", "steps", "100000"),
        .completion("{\"sampler\": \"ddim\"}", "sampler", "analytic, euler"),
        .completion("{\"stream\": \"yes\"}", "stream", "true or false"),
        .completion("{\"stream_options\": {}}", "stream_options", "without stream"),
        .completion("{\"stream\": true, \"stream_options\": {\"usage\": true}}", "usage", "include_usage"),
        .completion("{\"stop\": [\"a\", \"b\", \"c\", \"d\", \"e\"]}", "stop", "at most 4"),
        .completion("{\"stop\": [\"\"]}", "stop", "a text"), .completion("{\"stop\": 5}", "stop", "a string"),
        .completion("{\"stop\": \"\(String(repeating: "a", count: 257))\"}", "stop", "256 at most"),
        .completion("{\"max_tokens\": 1e400}", "max_tokens", "inf"),
        .completion("{\"n\": 1, \"n\": 2}", nil, "there before"),
        .completion("{\"prompt\": \(String(repeating: "[", count: 400))", nil, "levels"),
        .completion("{\"prompt\": [\(String(repeating: "1,", count: 100_001))1]}", nil, "100000 values"),
        .completion("{\"temperature\": -0.7}", "temperature", "-0.7"),
        .completion("{\"top_p\": 1.5}", "top_p", "1.5"), .completion("{\"top_k\": 0}", "top_k", "whole number"),
        .completion("{\"grid\": \"square\"}", "grid", "linear, cosine"),
        .completion("{\"grid\": \"profile\"}", "grid", "sedd profile"),
        .completion("{\"gamma\": 1}", "sampler", "entropy-bound"),
        .completion("{\"sampler\": \"entropy-bound\", \"gamma\": -1}", "gamma", "from 0 to 1000"),
        .completion("{\"sampler\": \"remask\", \"strategy\": \"all\"}", "strategy", "cap, rescale"),
        .completion("{\"logprobs\": 3}", "logprobs", "left to right"),
        .completion("{\"best_of\": 4}", "best_of", "use n"),
        .completion("{\"logit_bias\": {\"5\": 1}}", "logit_bias", "own law"),
        .completion("{\"user\": 5}", "user", "a string"), .completion("{\"step\": 5}", "step", "did you mean steps?"),
        .completion("{\"\\u0000\": 5}", "\u{0}", "no member"),
        .infill("{}", "template", "neither"), .infill("{\"template\": \"a\", \"segments\": []}", "segments", "both"),
        .infill("{\"template\": \"a [[0]]\"}", "template", "[[0]]"),
        .infill("{\"template\": \"a [[x]]\"}", "template", "[[x]]"),
        .infill("{\"template\": \"a [[5\"}", "template", "never closes"),
        .infill("{\"template\": \"abcdef [[20]]\", \"length\": 10}", "template", "27 tokens"),
        .infill("{\"template\": \"[[16000000]]\"}", "template", "1024 in all"),
        .infill("{\"template\": \"[[99999999999]]\"}", "template", "[[9999"),
        .infill("{\"template\": \"\(String(repeating: "[[1]]", count: 2000))\"}", "template", "1024 in all"),
        .infill("{\"template\": \"[[900]]\(String(repeating: "a", count: 200))\"}", "template", "1100 tokens"),
        .infill("{\"segments\": []}", "segments", "array of objects"),
        .infill("{\"segments\": [{\"hole\": -3}]}", "segments", "-3"),
        .infill("{\"segments\": [{\"hole\": \"many\"}]}", "segments", "\"*\""),
        .infill("{\"segments\": [{\"text\": \"a\", \"hole\": 3}]}", "segments", "one of text and hole"),
        .infill("{\"segments\": [5]}", "segments", "one of text and hole"),
        .infill("{\"template\": \"a\", \"length\": 5000}", "length", "1 to 1024"),
        .infill("{\"template\": \"a[[3]]\", \"alternatives\": 11}", "alternatives", "0 to 10"),
        .infill("{\"template\": \"a[[3]]\", \"temprature\": 1}", "temprature", "did you mean template?"),
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
}
