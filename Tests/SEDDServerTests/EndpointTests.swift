import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import SEDD
import Testing

@testable import SEDDServer

@Suite(.timeLimit(.minutes(10)))
struct EndpointTests {
    @Test func aCompletionIsWhatTheSamplerWrites() async throws {
        let model = try Bundled.model.get()
        let template: [Int?] =
            "She opened ".utf8.map { Int($0) } + [Int?](repeating: nil, count: 20) + " wept.".utf8.map { Int($0) }
        let alone = try Sampler(network: model.network).sample([
            .init(template: template, seed: 5, steps: 8), .init(template: template, seed: 6, steps: 8),
        ])
        try await withServer { client in
            let answer = try await client.post(
                "/v1/completions",
                "{\"prompt\": \"She opened \", \"suffix\": \" wept.\", \"max_tokens\": 20, \"n\": 2, \"seed\": 5, \"steps\": 8, \"echo\": true}"
            )
            #expect(answer.status == 200)
            let object = try answer.object()
            let choices = try #require(object["choices"] as? [[String: Any]])
            #expect(choices.map { $0["index"] as? Int } == [0, 1])
            for (choice, state) in zip(choices, alone) {
                #expect(choice["text"] as? String == String(try model.text(state.states.prefix(31))))
                #expect(choice["finish_reason"] as? String == "length")
            }
            #expect(
                object["usage"] as? [String: Int] == ["prompt_tokens": 17, "completion_tokens": 40, "total_tokens": 57])
            #expect(object["seed"] as? Int == 5 && object["model"] as? String == "gutenberg")
        }
    }

    /// The parts of a stream, concatenated, equal the response without streaming, for several prompts at once.
    /// Methods that mask tokens again have nothing to send before the end.
    @Test(arguments: [
        "", ", \"stop\": [\"e\", \"qq\"]", ", \"echo\": true", ", \"sampler\": \"remask\", \"eta\": 30",
        ", \"corrector\": 2, \"stop\": [\"e\"]",
    ])
    func aStreamAddsUp(_ more: String) async throws {
        let request =
            "{\"prompt\": [\"He said \", \"They\"], \"max_tokens\": 24, \"n\": 2, \"seed\": 3, \"steps\": 12\(more)"
        try await withServer { client in
            let whole = try await client.post("/v1/completions", request + "}").object()
            let streamed = try await client.post(
                "/v1/completions", request + ", \"stream\": true, \"stream_options\": {\"include_usage\": true}}")
            #expect(streamed.headers[.contentType] == "text/event-stream")
            #expect(streamed.events.last?.data == "[DONE]")
            var texts = [Int: String]()
            var reasons = [Int: String]()
            let parts = try streamed.objects("")
            for choice in parts.flatMap({ $0["choices"] as? [[String: Any]] ?? [] }) {
                let index = try #require(choice["index"] as? Int)
                #expect(reasons[index] == nil, "nothing comes after the end of a choice")
                texts[index, default: ""] += try #require(choice["text"] as? String)
                reasons[index] = choice["finish_reason"] as? String
            }
            let choices = try #require(whole["choices"] as? [[String: Any]])
            #expect(choices.map { $0["text"] as? String } == (0..<4).map { texts[$0] })
            #expect(choices.map { $0["finish_reason"] as? String } == (0..<4).map { reasons[$0] })
            #expect(parts.last?["usage"] as? [String: Int] == whole["usage"] as? [String: Int])
        }
    }

    /// The events of an infilling, applied in order, give its result; given positions never change.
    @Test(arguments: [true, false]) func aTrajectoryAddsUp(_ isAbsorbing: Bool) async throws {
        let model = isAbsorbing ? try Bundled.model.get() : try uniformModel()
        try await withServer(model) { client in
            let answer = try await client.post(
                "/v1/infill", "{\"template\": \"é [[9]] and [[5]].\", \"steps\": 7, \"seed\": 2, \"alternatives\": 2}")
            #expect(answer.status == 200 && answer.headers[.init("X-Accel-Buffering")!] == "no")
            #expect(answer.events.map(\.name) == ["start"] + Array(repeating: "step", count: 8) + ["done"])
            let start = try #require(try answer.objects("start").first)
            let positions = try #require(start["positions"] as? [[String: Any]])
            var tokens = positions.map { $0["token"] as? Int }
            let fixed = positions.map { $0["fixed"] as? Bool ?? false }
            #expect(
                positions[0]["text"] is NSNull && positions[0]["bytes"] as? [Int] == [0xC3], "a piece of a character")
            for (number, step) in try answer.objects("step").enumerated() {
                #expect(step["step"] as? Int == number + 1)
                for change in try #require(step["changes"] as? [[String: Any]]) {
                    let position = try #require(change["position"] as? Int)
                    #expect(!fixed[position])
                    tokens[position] = change["token"] as? Int
                    #expect((change["alternatives"] as? [Any])?.count == 2)
                }
                if isAbsorbing { #expect(step["open"] as? Int == tokens.count { $0 == nil }) }
                if number == 7 { #expect(step["time"] as? Double == 0) }
            }
            let done = try #require(try answer.objects("done").first)
            #expect(done["tokens"] as? [Int?] == tokens)
            let whole = try await client.post(
                "/v1/infill", "{\"template\": \"é [[9]] and [[5]].\", \"steps\": 7, \"seed\": 2, \"stream\": false}"
            ).object()
            #expect(whole["text"] as? String == done["text"] as? String)
        }
    }

    @Test func theSmallPages() async throws {
        try await withServer { client in
            for (path, status, words) in [
                ("/healthz", 200, "alive"), ("/readyz", 200, "ready"), ("/metrics", 200, "sedd_sequences_running"),
                ("/v1/models", 200, "gutenberg"), ("/v1/models/gutenberg", 200, "absorb"),
                ("/v1/models/other", 404, "'gutenberg'"), ("/openapi.json", 200, "\"openapi\""),
                ("/", 200, "<!doctype html>"), ("/page/page.css", 200, "{"), ("/page/other.js", 404, "unknown_url"),
                ("/page/..%2f..%2fetc%2fpasswd", 404, "unknown_url"), ("/v1/completions", 405, "POST"),
                ("/v1/nothing", 404, "unknown_url"), ("/completions", 404, "did you mean /v1/completions?"),
            ] {
                let answer = try await client.get(path)
                #expect(answer.status == status, "\(path): \(answer.body.prefix(200))")
                #expect(answer.body.lowercased().contains(words.lowercased()), "\(path): \(answer.body.prefix(200))")
                #expect(answer.headers[.requestID] != nil)
            }
            let page = try await client.get("/")
            #expect(page.headers[.contentSecurityPolicy]?.contains("script-src 'self'") == true)
            #expect(page.headers[.xContentTypeOptions] == "nosniff")
        }
    }

    @Test func keys() async throws {
        try await withServer(change: { $0.keys = APIKeys(["secret-one", "secret-two"]) }) { client in
            for (value, status) in [
                (nil, 401), ("Bearer wrong", 401), ("Bearer secret-on", 401), ("Basic secret-one", 401),
                ("Bearer", 401),
                ("Bearer secret-one", 200), ("bearer secret-two", 200), ("Bearer  secret-one", 200),
                (" BEARER   secret-two ", 200), ("Bearer secret-one secret-two", 401),
            ] as [(String?, Int)] {
                var headers = HTTPFields()
                headers[.authorization] = value
                let answer = try await client.get("/v1/models", headers: headers)
                #expect(answer.status == status, "\(value ?? "none")")
                #expect(!answer.body.contains("secret"))
                if status == 401 { #expect(try answer.error()["code"] as? String == "invalid_api_key") }
            }
            for path in ["//v1/models", "/v1//models", "/v1/models/", "//v1//completions", "/v1/../v1/models"] {
                let answer = try await client.get(path)
                #expect([401, 404, 405].contains(answer.status), "\(path): \(answer.status)")
            }
            #expect(try await client.post("//v1/completions", "{\"max_tokens\": 1}").status == 401)
            #expect(try await client.get("/healthz").status == 200)
            #expect(try await client.get("/").status == 200, "the page asks for the key itself")
        }
    }

    @Test func otherPagesStayOut() async throws {
        try await withServer(change: { $0.allowedOrigins = ["https://friend.example"] }) { client in
            let ask = "{\"template\": \"a[[3]]\", \"steps\": 1, \"stream\": false}"
            let stranger = try await client.post("/v1/infill", ask, headers: [.origin: "https://evil.example"])
            #expect(stranger.status == 403 && stranger.headers[.accessControlAllowOrigin] == nil)
            let friend = try await client.post("/v1/infill", ask, headers: [.origin: "https://friend.example"])
            #expect(friend.status == 200 && friend.headers[.accessControlAllowOrigin] == "https://friend.example")
            let question = try await client.send(
                .options, "/v1/infill",
                headers: [.origin: "https://friend.example", .accessControlRequestMethod: "POST"])
            #expect(question.status == 204 && question.headers[.accessControlAllowMethods] == "GET, POST, HEAD")
            let lost = try await client.get("/nothing", headers: [.origin: "https://friend.example"])
            #expect(lost.status == 404 && lost.headers[.accessControlAllowOrigin] == "https://friend.example")
            let bad = try await client.send(
                .options, "/v1/infill", headers: [.origin: "https://evil.example", .accessControlRequestMethod: "POST"])
            #expect(bad.status == 403)
        }
    }

    /// A page under a name that resolves to this machine (DNS rebinding) is not the server's own.
    @Test func namesOfOthers() {
        for (authority, origin, host, own) in [
            ("localhost:8080", "http://localhost:8080", "127.0.0.1", true),
            ("127.0.0.1:80", "http://127.0.0.1:80", "localhost", true),
            ("[::1]:80", "http://[::1]:80", "::1", true), ("evil.com", "http://evil.com", "127.0.0.1", false),
            ("localhost.evil.com", "http://localhost.evil.com", "127.0.0.1", false),
            ("box.lan:80", "http://box.lan:80", "0.0.0.0", true), ("box.lan", "http://other.lan", "0.0.0.0", false),
        ] {
            let request = Request(
                head: .init(method: .get, scheme: "http", authority: authority, path: "/"),
                body: .init(buffer: ByteBuffer()))
            #expect(Origins(allowed: [], host: host).isOwn(origin, request) == own, "\(authority) \(host)")
        }
    }

    @Test func headsHaveNoBody() async throws {
        try await withServer { client in
            for (path, status) in [("/", 200), ("/healthz", 200), ("/nothing", 404)] {
                let answer = try await client.send(.head, path)
                #expect(answer.status == status && answer.body.isEmpty, "\(path)")
            }
        }
    }

    /// A stream ends once all its choices have reached a stop sequence.
    @Test func aStreamEndsWithItsChoices() async throws {
        try await withServer { client in
            let answer = try await client.post(
                "/v1/completions",
                "{\"prompt\": \"It was\", \"max_tokens\": 4, \"seed\": 1, \"steps\": 1000, \"stop\": [\" \", \"e\", \"a\", \"o\"], \"stream\": true}"
            )
            #expect(answer.events.last?.data == "[DONE]")
        }
    }

    /// Whatever the description allows is answered.
    @Test(arguments: ["0", "5e-324", "1e-310", "1e-40", "100"], ["analytic", "euler", "confidence", "first-hitting"])
    func temperatures(_ temperature: String, _ sampler: String) async throws {
        try await withServer { client in
            let ask = "\"temperature\": \(temperature), \"sampler\": \"\(sampler)\", \"steps\": 2"
            #expect(try await client.post("/v1/completions", "{\"max_tokens\": 4, \(ask)}").status == 200)
            let streamed = try await client.post("/v1/infill", "{\"template\": \"a[[4]]\", \(ask)}")
            #expect(
                streamed.status == 200 && streamed.events.last?.name == "done", "\(streamed.events.last?.name ?? "")")
        }
    }

    @Test func whatIsNoRequest() async throws {
        try await withServer(change: { $0.limits.bodyBytes = 1000 }) { client in
            let form = try await client.send(
                .post, "/v1/infill", headers: [.contentType: "application/x-www-form-urlencoded"],
                body: ByteBuffer(string: "template=a"))
            #expect(form.status == 415)
            #expect(try await client.send(.post, "/v1/infill", body: ByteBuffer(string: "{}")).status == 415)
            let large = try await client.post(
                "/v1/infill", "{\"template\": \"\(String(repeating: "a", count: 2000))\"}")
            #expect(large.status == 413)
            let bytes = try await client.send(
                .post, "/v1/infill", headers: [.contentType: "application/json"], body: ByteBuffer(bytes: [0x7B, 0xFF]))
            #expect(bytes.status == 400)
            #expect(try bytes.error()["type"] as? String == "invalid_request_error")
        }
    }

    @Test func aRequestThatTakesTooLong() async throws {
        try await withServer(change: { $0.limits.deadline = .milliseconds(150) }) { client in
            let ask = "{\"template\": \"[[512]]\", \"steps\": 1000, \"stream\": "
            let whole = try await client.post("/v1/infill", ask + "false}")
            #expect(whole.status == 504)
            #expect(try whole.error()["code"] as? String == "deadline")
            let streamed = try await client.post("/v1/infill", ask + "true}")
            #expect(streamed.status == 200 && streamed.events.last?.name == "error")
        }
    }
}
