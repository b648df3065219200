import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOHTTP1
import SEDD
import Testing
import Text

@testable import SEDDServer

/// The model that the repository brings.
enum Bundled {
    // Tests/SEDDServerTests/Support.swift
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Models/gutenberg")

    static let model = Result {
        try ServedModel(
            name: "gutenberg", network: try ModelFolder.load(folder), tokenizer: ByteTokenizer(), created: 1_700_000_000
        )
    }
}

/// A uniform chain over bytes, as a network knows it that has learned nothing.
func uniformModel(name: String = "uniform") throws -> ServedModel {
    try untrained(name, .init(type: .uniform), .init(type: .geometric, sigmaMin: 1e-3, sigmaMax: 8))
}

/// An absorbing chain over bytes, as a network knows it that has learned nothing: small, so that thousands of requests cost little.
func absorbingModel(name: String = "absorbing") throws -> ServedModel {
    try untrained(name, .init(type: .absorb), .init(type: .loglinear))
}

private func untrained(
    _ name: String, _ graph: ModelConfiguration.Graph, _ noise: ModelConfiguration.Noise
) throws -> ServedModel {
    let configuration = ModelConfiguration(
        tokens: 256, graph: graph, noise: noise,
        model: .init(
            hiddenSize: 32, condDim: 16, length: 24, nBlocks: 1, nHeads: 2, scaleBySigma: graph.type == .absorb,
            dropout: 0),
        tokenizer: "byte")
    return try ServedModel(
        name: name, network: try ScoreNetwork(configuration, seed: 3), tokenizer: ByteTokenizer(), created: 0)
}

/// Runs `body` against a server at a free port of this machine.
func withServer(
    _ model: ServedModel? = nil, change: (inout Server.Settings) -> Void = { _ in },
    _ body: @escaping @Sendable (Client) async throws -> Void
) async throws {
    let model = try model ?? Bundled.model.get()
    var settings = Server.Settings(limits: ServerLimits(modelLength: model.length))
    change(&settings)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = try Server(model, settings, logger: logger)
    try await server.application().test(.live) { client in try await body(Client(port: #require(client.port))) }
    await server.engine.drain(within: .seconds(30))
}

/// A client that waits as long as a busy machine takes.
struct Client: Sendable {
    let port: Int

    func send(
        _ method: HTTPRequest.Method, _ path: String, headers: HTTPFields = [:], body: ByteBuffer? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://localhost:\(port)\(path)")
        request.method = .init(rawValue: method.rawValue)
        for field in headers { request.headers.add(name: field.name.rawName, value: field.value) }
        request.body = body.map { .bytes($0) }
        let response = try await HTTPClient.shared.execute(request, timeout: .minutes(10))
        var fields = HTTPFields()
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { fields.append(.init(name: name, value: value)) }
        }
        let data = try await response.body.collect(upTo: 1 << 26)
        return Answer(status: Int(response.status.code), headers: fields, body: String(buffer: data))
    }

    func get(_ path: String, headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.get, path, headers: headers)
    }

    func post(_ path: String, _ json: String, headers: HTTPFields = [:]) async throws -> Answer {
        var headers = headers
        headers[.contentType] = headers[.contentType] ?? "application/json"
        return try await send(.post, path, headers: headers, body: ByteBuffer(string: json))
    }
}

/// What came back.
struct Answer {
    let status: Int
    let headers: HTTPFields
    let body: String

    /// The body as a JSON object.
    func object() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any], "\(body)")
    }

    /// The `error` member.
    func error() throws -> [String: Any] { try #require(object()["error"] as? [String: Any], "\(body)") }

    /// Server-sent events: name, where there is one, and data.
    var events: [(name: String, data: String)] {
        body.components(separatedBy: "\n\n").filter { !$0.isEmpty && !$0.hasPrefix(":") }.map { block in
            var (name, data) = ("", "")
            for line in block.split(separator: "\n") {
                if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { data = String(line.dropFirst(6)) }
            }
            return (name, data)
        }
    }

    /// The data of the events of that name, as objects.
    func objects(_ name: String) throws -> [[String: Any]] {
        try events.filter { $0.name == name && $0.data != "[DONE]" }.map { event in
            try #require(
                try JSONSerialization.jsonObject(with: Data(event.data.utf8)) as? [String: Any], "\(event.data)")
        }
    }
}
