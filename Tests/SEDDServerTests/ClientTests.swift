import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import SEDDServer

/// What clients encounter: methods, names, headers, cross-origin pages, and ignored parameters.
@Suite(.timeLimit(.minutes(10)))
struct ClientTests {
    struct Method: CustomTestStringConvertible, Sendable {
        let method: String
        let path: String
        let status: Int
        let allow: String?
        var testDescription: String { "\(method) \(path)" }
    }

    @Test func methods() async throws {
        let cases = [
            Method(method: "GET", path: "/v1/completions", status: 405, allow: "OPTIONS, POST"),
            Method(method: "HEAD", path: "/v1/infill", status: 405, allow: "OPTIONS, POST"),
            Method(method: "DELETE", path: "/v1/models/absorbing", status: 405, allow: "GET, HEAD, OPTIONS"),
            Method(method: "POST", path: "/v1/models", status: 405, allow: "GET, HEAD, OPTIONS"),
            Method(method: "PUT", path: "/healthz", status: 405, allow: "GET, HEAD, OPTIONS"),
            Method(method: "TRACE", path: "/", status: 405, allow: "GET, HEAD, OPTIONS"),
            Method(method: "TRACE", path: "/v1/completions", status: 405, allow: "OPTIONS, POST"),
            Method(method: "PATCH", path: "/page/page.js", status: 405, allow: "GET, HEAD, OPTIONS"),
            Method(method: "PROPFIND", path: "/v1/infill", status: 405, allow: "OPTIONS, POST"),
            Method(method: "OPTIONS", path: "/v1/infill", status: 204, allow: "OPTIONS, POST"),
            Method(method: "PUT", path: "/nothing", status: 404, allow: nil),
            Method(method: "OPTIONS", path: "/nothing", status: 404, allow: nil),
            Method(method: "GET", path: "/v1/models/a/b/c", status: 404, allow: nil),
        ]
        try await withServer(absorbingModel()) { client in
            for given in cases {
                let answer = try await client.send(try #require(.init(given.method)), given.path)
                #expect(
                    answer.status == given.status && answer.headers[.allow] == given.allow, "\(given.testDescription)")
                if given.status == 405, given.method != "HEAD" {
                    #expect(try answer.error()["code"] as? String == "method_not_allowed")
                }
            }
        }
    }

    /// Names with slashes, encoded or not, and paths with percent-encoded letters.
    @Test func paths() async throws {
        try await withServer(absorbingModel(name: "org/näme")) { client in
            for path in [
                "/v1/models/org%2Fn%C3%A4me", "/v1/models/org/n%C3%A4me", "/v1/%6D%6fdels/org%2fn%c3%a4me",
                "/v1/models",
            ] {
                let answer = try await client.get(path)
                #expect(answer.status == 200 && answer.body.contains("org/näme"), "\(path): \(answer.body.prefix(200))")
            }
            for path in ["/v1/models/org", "/v1/models/org%252Fn%C3%A4me", "/v1%2Fmodels"] {
                let answer = try await client.get(path)
                #expect(answer.status == 404, "\(path): \(answer.status) \(answer.body.prefix(200))")
            }
            let bytes = try await RawConnection.exchange(
                client.port, .send("GET /v1/models/%FF%FE HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), .readToEnd
            )
            #expect(RawAnswer.all(bytes).map(\.status) == [404])
            #expect(
                try await client.post("/v1/completions", "{\"model\": \"org/näme\", \"max_tokens\": 1, \"steps\": 1}")
                    .status == 200)
        }
    }

    @Test func whatThereIsInPlaceOfChat() async throws {
        try await withServer(absorbingModel()) { client in
            for path in ["/v1/chat/completions", "/chat/completions", "/v1/responses"] {
                let answer = try await client.post(path, "{\"model\": \"absorbing\", \"messages\": []}")
                #expect(answer.status == 404)
                let message = try #require(try answer.error()["message"] as? String)
                #expect(message.contains("/v1/completions") && message.contains("chat is not supported"))
            }
        }
    }

    @Test func whatChangedNothingIsTold() async throws {
        try await withServer(absorbingModel()) { client in
            let ask = "{\"prompt\": \"a\", \"max_tokens\": 2, \"steps\": 1, \"seed\": 1"
            let plain = try await client.post("/v1/completions", ask + "}")
            #expect(plain.headers[.ignoredParameters] == nil)
            for more in [
                ", \"presence_penalty\": 0.2, \"frequency_penalty\": 1",
                ", \"presence_penalty\": 0.2, \"frequency_penalty\": 1, \"stream\": true",
            ] {
                let answer = try await client.post("/v1/completions", ask + more + "}")
                #expect(answer.status == 200)
                #expect(answer.headers[.ignoredParameters] == "presence_penalty, frequency_penalty")
            }
        }
    }

    @Test func nothingIsWritten() async throws {
        try await withServer(absorbingModel()) { client in
            for (more, text) in [(", \"echo\": true", "Hi"), ("", ""), (", \"echo\": true, \"suffix\": \"!\"", "Hi")] {
                let body = "{\"prompt\": [\"Hi\", \"Ho\"], \"max_tokens\": 0\(more)"
                let answer = try await client.post("/v1/completions", body + "}")
                #expect(answer.status == 200)
                let object = try answer.object()
                let choices = try #require(object["choices"] as? [[String: Any]])
                #expect(choices.count == 2 && choices[0]["text"] as? String == text)
                #expect(choices[0]["finish_reason"] as? String == "length")
                #expect((object["usage"] as? [String: Int])?["completion_tokens"] == 0)
                let streamed = try await client.post("/v1/completions", body + ", \"stream\": true}")
                #expect(streamed.events.last?.data == "[DONE]")
                let parts = try streamed.objects("").compactMap { ($0["choices"] as? [[String: Any]])?.first }
                #expect(parts.map { $0["text"] as? String } == choices.map { $0["text"] as? String })
            }
            #expect(try await client.post("/v1/completions", "{\"max_tokens\": 0, \"echo\": true}").status == 200)
        }
    }

    /// Equal prompts get different texts, with or without a seed; with one, those of seed, seed + 1, and so on.
    @Test func equalPrompts() async throws {
        @Sendable func texts(_ answer: Answer) throws -> [String] {
            try #require(try answer.object()["choices"] as? [[String: Any]]).compactMap { $0["text"] as? String }
        }
        try await withServer(absorbingModel()) { client in
            let ask = "\"max_tokens\": 12, \"steps\": 4"
            let drawn = try await texts(client.post("/v1/completions", "{\"prompt\": [\"a\", \"a\", \"a\"], \(ask)}"))
            #expect(Set(drawn).count == 3)
            let seeded = try await texts(
                client.post("/v1/completions", "{\"prompt\": [\"a\", \"a\"], \"n\": 2, \"seed\": 40, \(ask)}"))
            for (offset, text) in seeded.enumerated() {
                let alone = try await texts(
                    client.post("/v1/completions", "{\"prompt\": \"a\", \"seed\": \(40 + offset), \(ask)}"))
                #expect(alone == [text])
            }
        }
    }

    /// A reported seed reproduces the text, whichever it was.
    @Test(arguments: ["-9223372036854775808", "-7", "18446744073709551615", "9223372036854775807", "-1"])
    func seedsRepeat(_ seed: String) async throws {
        try await withServer(absorbingModel()) { client in
            let ask = "{\"prompt\": \"a\", \"max_tokens\": 12, \"steps\": 4, \"seed\": "
            let first = try await client.post("/v1/completions", ask + seed + "}")
            #expect(first.status == 200)
            let told = try #require(first.body.firstMatch(of: /"seed":(-?\d+)/)).1
            let again = try await client.post("/v1/completions", ask + told + "}")
            #expect(
                (try again.object()["choices"] as? [[String: Any]])?.first?["text"] as? String
                    == (try first.object()["choices"] as? [[String: Any]])?.first?["text"] as? String)
            #expect(again.body.contains("\"seed\":\(told)"))
        }
    }

    @Test func contentCodings() async throws {
        try await withServer(absorbingModel()) { client in
            let body = "{\"max_tokens\": 1, \"steps\": 1}"
            let gzip = try await client.post("/v1/completions", body, headers: [.contentEncoding: "gzip"])
            #expect(gzip.status == 415 && gzip.headers[.acceptEncoding] == "identity")
            #expect(
                try gzip.error()["message"] as? String
                    == "the content coding 'gzip' is not supported; send uncompressed JSON, without Content-Encoding")
            #expect(
                try await client.post("/v1/completions", body, headers: [.contentEncoding: "Identity"]).status == 200)
        }
    }

    // MARK: Pages of other places

    /// The preflight request of OpenAI's JavaScript client in a page.
    @Test func aPreflightOfOpenAIsClient() async throws {
        let asked =
            "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os,x-stainless-package-version,x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,x-stainless-timeout"
        try await withServer(
            absorbingModel(),
            change: {
                $0.allowedOrigins = ["http://localhost:5173"]
                $0.keys = APIKeys(["secret"])
            }
        ) { client in
            let origin: HTTPFields = [.origin: "http://localhost:5173"]
            var headers = origin
            headers[.accessControlRequestMethod] = "POST"
            headers[.accessControlRequestHeaders] = asked
            headers[.init("Access-Control-Request-Private-Network")!] = "true"
            let answer = try await client.send(.options, "/v1/completions", headers: headers)
            #expect(answer.status == 204 && answer.headers[.accessControlAllowOrigin] == "http://localhost:5173")
            let allowed = Set(
                (answer.headers[.accessControlAllowHeaders] ?? "").split(separator: ",").map {
                    $0.trimmingCharacters(in: .whitespaces)
                })
            #expect(allowed == Set(asked.split(separator: ",").map(String.init)))
            #expect(answer.headers[.accessControlAllowMethods]?.contains("POST") == true)
            #expect(answer.headers[.init("Access-Control-Allow-Private-Network")!] == "true")
            #expect(answer.headers[.vary]?.contains("Access-Control-Request-Headers") == true)
            // Then the request itself, and its errors, which the page must be able to read.
            var real = origin
            real[.authorization] = "Bearer secret"
            real[.init("X-Stainless-OS")!] = "Linux"
            let text = try await client.post("/v1/completions", "{\"max_tokens\": 1, \"steps\": 1}", headers: real)
            #expect(text.status == 200 && text.headers[.accessControlAllowOrigin] == "http://localhost:5173")
            #expect(text.headers[.accessControlExposeHeaders]?.contains("X-Ignored-Parameters") == true)
            let refused = try await client.post("/v1/completions", "{}", headers: origin)
            #expect(refused.status == 401 && refused.headers[.accessControlAllowOrigin] == "http://localhost:5173")
        }
    }

    @Test(
        arguments: [
            ("https://a.example", nil), ("http://localhost:5173", nil), ("*", nil), ("null", nil),
            ("http://[::1]:8080", nil),
            ("chrome-extension://abcdef", nil), ("https://a.example/", "write https://a.example"),
            ("a.example/", "such as https://a.example"), ("a.example", "such as https://a.example"),
            ("https://A.Example", "write https://a.example"), ("HTTPS://a.example", "write https://a.example"),
            ("https://a.example:443", "write https://a.example"), ("http://a.example:80", "write http://a.example"),
            ("https://a.example/path", "write https://a.example"), ("https://", "expected a host"),
            ("", "not an origin"),
            ("https://a.example:0", "port from 1"), ("https://a.example:99999", "port from 1"),
            ("https://u@a.example", "expected a host"),
            ("https://ä.example", "expected a host"), ("http://a b", "expected a host"),
            ("*.example.org", "not an origin"),
        ] as [(String, String?)])
    func origins(_ text: String, _ words: String?) {
        let fault = AllowedOrigin.fault(text)
        #expect((fault == nil) == (words == nil), "\(fault ?? "taken")")
        if let words { #expect(fault?.contains(words) == true, "\(fault ?? "taken")") }
    }

    /// A server that knows its names answers only under those and under IP addresses; health checks may use any.
    @Test func names() async throws {
        try await withServer(
            absorbingModel(),
            change: {
                $0.host = "0.0.0.0"
                $0.names = ["sedd.example.org"]
            }
        ) { client in
            for (host, status) in [
                ("sedd.example.org", 200), ("SEDD.example.org:8080", 200), ("127.0.0.1:80", 200), ("[::1]", 200),
                ("localhost", 200),
                ("evil.example", 421), ("sedd.example.org.evil.example", 421), ("", 421),
            ] {
                let found = RawAnswer.all(
                    try await RawConnection.exchange(
                        client.port, .send("GET /v1/models HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"),
                        .readToEnd))
                #expect(found.map(\.status) == [status], "\(host)")
                let health = RawAnswer.all(
                    try await RawConnection.exchange(
                        client.port, .send("GET /healthz HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"),
                        .readToEnd))
                #expect(health.map(\.status) == [200], "\(host)")
            }
        }
        for (authority, own) in [("sedd.example.org:80", true), ("box.lan", false), ("10.0.0.1", true)] {
            var origins = Origins(allowed: [], host: "0.0.0.0")
            origins.names = ["sedd.example.org"]
            let request = Request(
                head: .init(method: .get, scheme: "http", authority: authority, path: "/"),
                body: .init(buffer: ByteBuffer()))
            #expect(origins.isOwn("http://\(authority)", request) == own, "\(authority)")
        }
    }
}

struct APIKeyFileTests {
    @Test(arguments: [
        ("one\n\n  two  \r\n# a comment\n#three\nfour # of Bob\n\u{FEFF}", ["one", "two", "four"]),
        ("\u{FEFF}one\n", ["one"]), ("one", ["one"]), ("# none\n\n", []), ("a#b\n", ["a#b"]),
    ])
    func lines(_ text: String, _ keys: [String]) throws {
        let found = try APIKeys.keys(text.hasSuffix("\u{FEFF}") ? String(text.dropLast()) : text, source: "keys")
        #expect(found == keys)
    }

    @Test(arguments: [("one\ntwo three\n", 2), ("schlüssel\n", 1), ("a\u{7}b", 1)])
    func faults(_ text: String, _ line: Int) {
        let error = #expect(throws: (any Error).self) { try APIKeys.keys(text, source: "keys") }
        let message = "\(error.map { "\($0)" } ?? "")"
        #expect(message.contains("line \(line) is not a key"))
        for word in ["two", "three", "schl", "\u{7}"] { #expect(!message.contains(word), "no key is told") }
    }

    @Test func filesThatOthersCanRead() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "keys-\(UInt64.random(in: 0 ... .max))")
        try Data("one\n# two\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        for (mode, warns) in [(0o600, false), (0o400, false), (0o644, true), (0o604, true), (0o640, true)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
            var warnings: [String] = []
            let keys = try APIKeys(contentsOf: file.path) { warnings.append($0) }
            #expect(keys.contains("one") && !keys.contains("two") && !keys.contains("#"))
            #expect(warnings.isEmpty != warns, "\(String(mode, radix: 8))")
        }
        try Data("# nothing\n".utf8).write(to: file)
        #expect(throws: (any Error).self) { try APIKeys(contentsOf: file.path) { _ in } }
        #expect(throws: (any Error).self) { try APIKeys(contentsOf: file.path + "-none") { _ in } }
    }
}
