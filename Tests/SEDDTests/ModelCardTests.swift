import Foundation
import Testing

@testable import SEDD

struct ModelCardTests {
    private func card(_ text: String) throws -> ModelCard? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "card-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(text.utf8).write(to: ModelCard.file(in: folder))
        return try ModelCard.beside(model: folder)
    }

    @Test func aCardIsRead() throws {
        let read = try card(
            """
            {"title": "Stories", "training_data": "tales", "language": "en", "unknown": 1,
             "sampling": {"method": "remask", "steps": 32, "temperature": 0.8, "eta": 2},
             "examples": [{"name": "Fill", "template": "a[[3]]", "length": 8, "seed": 4}]}
            """)
        #expect(read?.title == "Stories" && read?.trainingData == "tales" && read?.abilities == nil)
        #expect(read?.sampling?.method == "remask" && read?.sampling?.filter.temperature == 0.8)
        #expect(read?.sampling?.own["eta"] == .number(2))
        #expect(read?.examples == [.init(name: "Fill", template: "a[[3]]", length: 8, seed: 4)])
        #expect(try card("{}") == ModelCard())
    }

    @Test func aFolderWithoutOne() throws {
        #expect(try ModelCard.beside(model: URL(filePath: "/nonexistent")) == nil)
    }

    @Test func theBundledModelHasOne() throws {
        // Tests/SEDDTests/ModelCardTests.swift
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let read = try #require(try ModelCard.beside(model: root.appending(path: "Models/gutenberg")))
        #expect(read.trainingData != nil && read.abilities != nil && (read.examples ?? []).count >= 3)
    }

    @Test(arguments: [
        ("[]", "expected an object"), ("{\"title\": 3}", "title"), ("{\"examples\": [{\"name\": \"a\"}]}", "template"),
        ("{\"examples\": [{\"name\": \"a\", \"template\": \"[[x]]\"}]}", "examples[0]"),
        ("{\"examples\": [{\"name\": \"a\", \"template\": \"a\", \"length\": 0}]}", "examples[0].length is 0"),
        ("{\"sampling\": {\"method\": \"none\"}}", "sampling: "),
        ("{\"sampling\": {\"steps\": 0}}", "sampling: "),
        ("{\"sampling\": {\"temperature\": -1}}", "sampling: "), ("{", "not valid JSON"),
    ]) func wrongCards(_ text: String, _ words: String) throws {
        let error = try #require(throws: SEDDError.self) { try card(text) }
        #expect(
            error.description.contains(words) && error.description.contains("model_card.json"), "\(error.description)")
    }
}
