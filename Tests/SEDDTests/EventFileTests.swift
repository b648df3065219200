import Foundation
import SwiftProtobuf
import Testing

@testable import SEDD

@Suite struct EventFileTests {
    @Test func checksums() {
        #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.checksum([]) == 0)
        // RFC 3720, B.4: 32 bytes of zeros, of ones, and counting upwards.
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
    }

    @Test func recordsComeBack() throws {
        try withFolder { folder in
            let writer = try EventFileWriter(folder: folder, now: { 1234.5 })
            try writer.scalar("train/loss", 6.25 as Double, step: 1)
            try writer.scalar("train/loss", Float.nan, step: 2)
            try writer.text("samples", "größer 🐈", step: 2)
            // Before flush and close: each call leaves a whole record behind.
            let events = try read(writer.file)
            try writer.flush()
            try writer.close()

            try #require(events.count == 4)
            #expect(events.allSatisfy { $0.wallTime == 1234.5 })
            #expect(events.map(\.step) == [0, 1, 2, 2])
            #expect(events[0].fileVersion == "brain.Event:2")
            let values = try events.dropFirst().map { try #require($0.summary.value.first) }
            #expect(values.map(\.tag) == ["train/loss", "train/loss", "samples"])
            #expect(values[0].simpleValue == 6.25)
            #expect(values[1].simpleValue.isNaN)
            #expect(values[2].metadata.pluginData.pluginName == "text")
            #expect(values[2].tensor.dtype == .dtString)
            #expect(values[2].tensor.hasTensorShape)
            #expect(values[2].tensor.stringVal == [Data("größer 🐈".utf8)])
        }
    }

    // A file written byte by byte, so that field numbers and framing are checked without this package's code.
    @Test func bytes() throws {
        try withFolder { folder in
            let writer = try EventFileWriter(folder: folder, now: { 2 })
            let version = try Data(contentsOf: writer.file)
            try writer.scalar("a", 1 as Float, step: 3)
            let bytes = [UInt8](try Data(contentsOf: writer.file).dropFirst(version.count))

            let payload: [UInt8] =
                [0x09, 0, 0, 0, 0, 0, 0, 0, 0x40]  // wall_time = 1: 2.0
                + [0x10, 3]  // step = 2: 3
                + [0x2A, 10]  // summary = 5
                + [0x0A, 8]  // value = 1
                + [0x0A, 1, 0x61]  // tag = 1: "a"
                + [0x15, 0, 0, 0x80, 0x3F]  // simple_value = 2: 1.0
            #expect(bytes.count == 16 + payload.count)
            #expect(Array(bytes.prefix(8)) == [23, 0, 0, 0, 0, 0, 0, 0])
            #expect(Array(bytes.dropFirst(12).prefix(23)) == payload)
        }
    }

    @Test func fileName() throws {
        try withFolder { folder in
            let first = try EventFileWriter(folder: folder, now: { 987_654_321.9 })
            let second = try EventFileWriter(folder: folder, now: { 987_654_321.9 })
            let process = ProcessInfo.processInfo
            let name = "events.out.tfevents.0987654321.\(process.hostName).\(process.processIdentifier)"
            #expect(first.file.lastPathComponent == name)
            #expect(second.file.lastPathComponent == name + ".1")
            #expect(try read(first.file).count == 1)
            #expect(try read(second.file).count == 1)
        }
    }

    @Test func resumptionHidesLaterSteps() throws {
        try withFolder { folder in
            let writer = try EventFileWriter(folder: folder, resumingAfter: 40)
            try writer.scalar("train/loss", 1 as Float, step: 41)
            let events = try read(writer.file)
            try #require(events.count == 3)
            #expect(events[0].fileVersion == "brain.Event:2")
            // Readers drop the steps from the mark's step on, and the events of step 40 must stay.
            #expect(events[1].sessionLog.status == .start)
            #expect(events[1].step == 41)
            #expect(events[2].step == 41)
        }
    }

    @Test func errorsNameTheFileAndTheWayOut() throws {
        try withFolder { folder in
            // Not even root can create a folder below a plain file.
            let obstacle = folder.appendingPathComponent("obstacle")
            try Data().write(to: obstacle)
            let error = #expect(throws: EventFileError.self) {
                try EventFileWriter(folder: obstacle.appendingPathComponent("run"))
            }
            let line = try #require(error?.description)
            #expect(line.hasPrefix("cannot create the event file \(obstacle.path)/run/events.out.tfevents."))
            #expect(line.hasSuffix("choose a run folder that you may write to"))
            #expect(!line.contains("\n"))
        }
    }

    @Test func closedWriterRefusesRecords() throws {
        try withFolder { folder in
            let writer = try EventFileWriter(folder: folder)
            try writer.close()
            try writer.close()
            #expect(throws: EventFileError.closed(path: writer.file.path)) {
                try writer.scalar("train/loss", 1 as Float, step: 1)
            }
            #expect(try read(writer.file).count == 1)
        }
    }

    @Test func concurrentCallsLeaveWholeRecords() async throws {
        let folder = temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let writer = try EventFileWriter(folder: folder)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for step in 0..<50 { try writer.scalar("task\(task)", Float(step), step: step) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try read(writer.file).count == 201)
    }
}

/// Reads an event file from its bytes, checking both checksums of each record.
private func read(_ file: URL) throws -> [Tensorboard_Event] {
    var rest = try Data(contentsOf: file)
    func take(_ count: Int) throws -> Data {
        try #require(rest.count >= count, "the file ends within a record")
        defer { rest = Data(rest.dropFirst(count)) }
        return Data(rest.prefix(count))
    }
    func number(_ bytes: Data) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var events: [Tensorboard_Event] = []
    while !rest.isEmpty {
        let length = try take(8)
        #expect(number(try take(4)) == masked(length))
        let payload = try take(Int(number(length)))
        #expect(number(try take(4)) == masked(payload))
        events.append(try Tensorboard_Event(serializedBytes: payload))
    }
    return events
}

/// The masked checksum, one bit at a time.
private func masked(_ bytes: Data) -> UInt64 {
    var remainder: UInt64 = 0xFFFF_FFFF
    for byte in bytes {
        remainder ^= UInt64(byte)
        for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82F6_3B78 : remainder >> 1 }
    }
    let checksum = remainder ^ 0xFFFF_FFFF
    let rotated = (checksum >> 15 | checksum << 17) & 0xFFFF_FFFF
    return (rotated + 0xA282_EAD8) & 0xFFFF_FFFF
}

private func temporaryFolder() -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID().uuidString)")
}

private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = temporaryFolder()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}
