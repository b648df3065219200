import Foundation
import Testing

/// Limited resources: few open files, little address space, a simple terminal.
@Suite struct ResourceLimitTests {
    @Test(arguments: [4, 5, 8, 15])
    func tooFewFiles(count: Int) async throws {
        let result = try await SeddProcess.run(["doctor"], shell: "ulimit -n \(count); exec \"$@\"")
        expectFailure(result, 71, ["\(count) files", "16", "ulimit -n"], "\(count) files")
    }

    /// A soft limit that the process may raise itself has no effect.
    @Test(arguments: ["-Sn 5", "-n 16"])
    func enoughFiles(limit: String) async throws {
        let result = try await SeddProcess.run(
            [
                "bench", "--tokens", "5", "--hidden", "8", "--heads", "2", "--blocks", "1", "--length", "8", "--batch",
                "1", "--repeats", "1",
            ],
            shell: "ulimit \(limit); exec \"$@\"")
        #expect(result.code == 0, "\(limit): \(result.errors)")
    }

    @Test(arguments: [64, 255])
    func tooLittleStack(kibibytes: Int) async throws {
        let result = try await SeddProcess.run(["doctor"], shell: "ulimit -s \(kibibytes); exec \"$@\"")
        expectFailure(result, 71, ["\(kibibytes) KiB", "256", "ulimit -s"], "\(kibibytes) KiB of stack")
    }

    #if os(Linux)
        @Test func tooLittleAddressSpace() async throws {
            // As much as the libraries map, and little more.
            let result = try await SeddProcess.run(["doctor"], shell: "ulimit -v 600000; exec \"$@\"")
            #expect([71, 127].contains(result.code), "\(result.errors)")
            if result.code == 71 { expectFailure(result, 71, ["MiB", "ulimit -v"], "address space") }
        }

        /// `script` gives the command a terminal.
        @Test(arguments: [
            (["NO_COLOR": "1", "TERM": "xterm"], false, true), (["TERM": "dumb"], false, false),
            (["NO_COLOR": "", "TERM": "xterm"], true, true), (["TERM": "xterm"], true, true),
        ])
        func colorsAndCursor(environment: [String: String], colors: Bool, moves: Bool) async throws {
            try #require(FileManager.default.isExecutableFile(atPath: "/usr/bin/script"))
            let model = try await TinyRun.model().path
            let result = try await SeddProcess.run(
                ["sample", "--model", model, "--steps", "3", "--length", "8", "--seed", "3", "--show"],
                environment: environment, shell: "script -qec \"$*\" /dev/null </dev/null")
            #expect(result.code == 0)
            #expect(result.text.contains("\u{1B}[1;32m") == colors)
            #expect(result.text.contains("\u{1B}[J") == moves)
        }
    #endif

    /// A reader that leaves early ends the command as the signal would have ended it, and without a message. The output is more than
    /// a pipe holds.
    @Test func aReaderThatHasSeenEnough() async throws {
        let result = try await SeddProcess.run(
            ["tokenize", "--tokenizer", "byte"], stdin: String(repeating: "a", count: 1 << 20),
            shell: "{ \"$@\"; echo $? >&2; } | head -c 3")
        #expect(result.text == "[97")
        #expect(result.errors == "141\n")
    }

    @Test func aFolderThatIsGone() async throws {
        let result = try await SeddProcess.run(
            ["doctor"], shell: "cd \"$(mktemp -d)\" && rmdir \"$PWD\" && exec \"$@\"")
        expectFailure(result, 66, ["the working directory no longer exists", "change to one"], "deleted")
    }
}
