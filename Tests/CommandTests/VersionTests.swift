import Foundation
import Testing

/// The program, the changelog and the pages state the same version.
@Suite struct VersionTests {
    // Tests/CommandTests/VersionTests.swift
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func text(_ name: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: name), encoding: .utf8)
    }

    @Test func agree() async throws {
        let told = try await SeddProcess.run(["--version"]).text
        let version = try #require(
            try told.firstMatch(of: Regex("^sedd ([0-9.]+) ", as: (Substring, Substring).self))?.1)
        let newest = try #require(try text("CHANGELOG.md").firstMatch(of: /\n## ([0-9.]+) — \d{4}-\d\d-\d\d\n/)?.1)
        #expect(newest == version)
        let archives = try text("docs/INSTALL.md").matches(of: /sedd-([0-9.]+)-linux/).map(\.1)
        #expect(!archives.isEmpty && archives.allSatisfy { $0 == version }, "\(archives)")
        let printed = Process()
        printed.executableURL = Self.root.appending(path: "Scripts/packaging/version.sh")
        let pipe = Pipe()
        printed.standardOutput = pipe
        try printed.run()
        printed.waitUntilExit()
        let line = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(line == "\(version)\n", "what the archive is named by")
    }
}
