import Foundation
import Hummingbird
import Logging
import SEDD
import Testing

@testable import SEDDServer

/// The document matches the server: routes, request members, and responses.
struct OpenAPITests {
    private func document() throws -> [String: Any] {
        let model = try Bundled.model.get()
        let data = Data(OpenAPIDocument.bytes(model, ServerLimits(modelLength: model.length)))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func schema(_ name: String) throws -> [String: Any] {
        let components = try #require(try document()["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: Any])
        return try #require(schemas[name] as? [String: Any], "\(name)")
    }

    @Test func routes() throws {
        let paths = try #require(try document()["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
        let model = try uniformModel()
        let server = try Server(
            model, .init(limits: ServerLimits(modelLength: model.length)), logger: .init(label: "test"))
        let served = Set(
            server.router().routes.map { route in
                "\(route.method) " + "\(route.path)".replacing("**", with: "{name}").replacing(/:(\w+)/) { "{\($0.1)}" }
            })
        #expect(served == described)
    }

    @Test func membersOfRequests() throws {
        let model = try Bundled.model.get()
        let limits = ServerLimits(modelLength: model.length)
        var completion = try RequestFields(body: Array("{\"prompt\": \"a\"}".utf8))
        _ = try CompletionRequest(&completion, model: model, limits: limits)
        var infill = try RequestFields(body: Array("{\"template\": \"a[[1]]\"}".utf8))
        _ = try InfillRequest(&infill, model: model, limits: limits)
        for (name, known) in [("CompletionRequest", completion.known), ("InfillRequest", infill.known)] {
            let properties = try #require(try schema(name)["properties"] as? [String: Any])
            #expect(Set(properties.keys) == known, "\(name)")
        }
    }

    /// Bounds are the server's, not the file's.
    @Test func bounds() throws {
        let text = String(
            decoding: OpenAPIDocument.bytes(try Bundled.model.get(), ServerLimits(modelLength: 256)), as: UTF8.self)
        #expect(!text.contains("\"$l") && !text.contains("\"$s") && !text.contains("\"$m"))
        let completion = try #require(try schema("CompletionRequest")["properties"] as? [String: [String: Any]])
        #expect(completion["n"]?["maximum"] as? Int == 128 && completion["steps"]?["maximum"] as? Int == 1024)
        #expect(
            completion["max_tokens"]?["minimum"] as? Int == 0 && completion["max_tokens"]?["maximum"] as? Int == 1024)
        #expect(completion["seed"]?["minimum"] as? Int == .min)
        #expect((completion["model"]?["enum"] as? [Any])?.first as? String == "gutenberg")
        let prompts = try #require(completion["prompt"]?["oneOf"] as? [[String: Any]])
        #expect(prompts[1]["maxItems"] as? Int == 128 && prompts[2]["maxItems"] as? Int == 1024)
        #expect((prompts[2]["items"] as? [String: Any])?["maximum"] as? Int == 255)
        let grids = try #require(completion["grid"]?["enum"] as? [Any]).compactMap { $0 as? String }
        #expect(grids == ["linear", "cosine"], "no profile was measured")
        let infill = try schema("InfillRequest")
        #expect(
            (infill["oneOf"] as? [[String: Any]])?.compactMap { $0["required"] as? [String] } == [
                ["template"], ["segments"],
            ])
    }

    /// Features that the served model lacks are not described.
    @Test(arguments: [false, true]) func whatTheModelHas(_ isAbsorbing: Bool) throws {
        let model = try isAbsorbing ? absorbingModel() : uniformModel()
        let data = Data(OpenAPIDocument.bytes(model, ServerLimits(modelLength: model.length)))
        let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: Any])
        let infill = try #require(
            (schemas["InfillRequest"] as? [String: Any])?["properties"] as? [String: [String: Any]])
        let samplers = try #require(infill["sampler"]?["enum"] as? [Any]).compactMap { $0 as? String }
        #expect(samplers == SamplingMethods.all.filter { $0.reverses(model.graph) }.map(\.name))
        #expect(samplers.contains("confidence") == isAbsorbing)
        // Bytes have no end of text.
        let segments = try #require((infill["segments"]?["items"] as? [String: Any])?["oneOf"] as? [[String: Any]])
        #expect(segments.compactMap { $0["required"] as? [String] } == [["text"], ["hole"]])
    }

    @Test func answers() async throws {
        try await withServer { client in
            func check(_ value: Any, _ name: String) throws {
                let faults = try Schema(try document()).faults(value, ["$ref": "#/components/schemas/\(name)"], name)
                #expect(faults.isEmpty, "\(faults)")
            }
            try check(await client.get("/v1/models").object(), "ModelList")
            try check(await client.post("/v1/completions", "{\"max_tokens\": 4, \"steps\": 2}").object(), "Completion")
            try check(await client.post("/v1/completions", "{\"n\": 0}").object(), "Error")
            let streamed = try await client.post(
                "/v1/completions", "{\"max_tokens\": 4, \"steps\": 2, \"stream\": true}")
            for part in try streamed.objects("") { try check(part, "Completion") }
            let infill = try await client.post(
                "/v1/infill", "{\"template\": \"é[[6]]\", \"steps\": 3, \"alternatives\": 3}")
            for (event, name) in [("start", "InfillStart"), ("step", "InfillStep"), ("done", "Infill")] {
                for part in try infill.objects(event) { try check(part, name) }
            }
        }
    }
}

/// The part of JSON Schema that the document uses.
private struct Schema {
    let document: [String: Any]
    init(_ document: [String: Any]) { self.document = document }

    /// Differences between `value` and `schema`.
    func faults(_ value: Any, _ schema: [String: Any], _ place: String) throws -> [String] {
        if let reference = schema["$ref"] as? String {
            var target: Any? = document
            for part in reference.split(separator: "/").dropFirst() {
                target = (target as? [String: Any])?[String(part)]
            }
            return try faults(value, #require(target as? [String: Any], "\(reference)"), place)
        }
        var found: [String] = []
        if let types = schema["type"].map({ $0 as? [String] ?? [$0 as? String ?? ""] }),
            !types.contains(where: { has(value, $0) })
        {
            found.append("\(place): \(value) is not one of \(types)")
        }
        let choices = (schema["enum"] as? [Any]) ?? schema["const"].map { [$0] }
        if let choices, !choices.contains(where: { "\($0)" == "\(value)" }) {
            found.append("\(place): \(value) is not one of \(choices)")
        }
        if let object = value as? [String: Any], let properties = schema["properties"] as? [String: [String: Any]] {
            for name in schema["required"] as? [String] ?? [] where object[name] == nil {
                found.append("\(place).\(name): missing")
            }
            for (name, member) in object {
                guard let inner = properties[name] else {
                    found.append("\(place).\(name): not described")
                    continue
                }
                found += try faults(member, inner, "\(place).\(name)")
            }
        }
        if let array = value as? [Any], let items = schema["items"] as? [String: Any] {
            for (index, item) in array.enumerated() { found += try faults(item, items, "\(place)[\(index)]") }
        }
        return found
    }

    private func has(_ value: Any, _ type: String) -> Bool {
        switch type {
        case "null": value is NSNull
        case "string": value is String
        case "boolean": value is Bool
        case "integer": value is Int
        case "number": value is Double || value is Int
        case "array": value is [Any]
        case "object": value is [String: Any]
        default: false
        }
    }
}
