public import Foundation
internal import SwiftProtobuf
internal import Synchronization

/// Writes curves and texts of a training run for TensorBoard.
///
/// Each writer creates its own file. A resumed run opens a new writer on the same folder, and TensorBoard shows the
/// files as one run:
///
/// ```swift
/// let events = try EventFileWriter(folder: runFolder, resumingAfter: checkpoint.step)
/// try events.scalar("train/loss", loss, step: step)
/// try events.text("samples", sample, step: step)
/// try events.close()
/// ```
///
/// Every record is handed to the operating system before the call returns: a killed process loses at most the record it
/// was writing, and TensorBoard can follow a run in progress.
public final class EventFileWriter: Sendable {
    /// The file, in the run folder.
    public let file: URL

    private let now: @Sendable () -> Double

    // One lock for handle and end keeps the records of concurrent calls intact and in order.
    private let state: Mutex<State>

    private struct State {
        // Nil once closed.
        var handle: FileHandle?
        // End of the last complete record, in bytes.
        var end: UInt64 = 0
    }

    /// Creates the file, and the folder if it does not exist.
    ///
    /// - Parameters:
    ///   - folder: The run folder. TensorBoard names the run after it.
    ///   - step: The step of the checkpoint that the run resumes from. Events of later steps in earlier files are
    ///     hidden, because the resumed run repeats those steps; TensorBoard's fast loader, its default, hides a tag's
    ///     events only once the tag is written again. Nil for a new run.
    ///   - now: The wall time of each record in seconds since 1970.
    /// - Throws: ``EventFileError/cannotCreate(path:reason:)``, or an error from writing the first records.
    public init(
        folder: URL, resumingAfter step: Int? = nil,
        now: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
    ) throws(EventFileError) {
        let (file, handle) = try Self.create(in: folder, at: now())
        self.file = file
        self.now = now
        state = Mutex(State(handle: handle))
        try append(.version())
        if let step {
            try append(.resumption(after: step))
        }
    }

    /// Adds a point to the curve `tag`; a prefix before a slash groups curves, as in `train/loss`.
    ///
    /// TensorBoard marks values that are not finite instead of drawing them.
    public func scalar(_ tag: String, _ value: Float, step: Int) throws(EventFileError) {
        try append(.scalar(tag, value, step: step))
    }

    /// Adds a point to the curve `tag`, rounded to single precision, in which event files keep scalars.
    public func scalar(_ tag: String, _ value: Double, step: Int) throws(EventFileError) {
        try append(.scalar(tag, Float(value), step: step))
    }

    /// Adds a text under `tag`. TensorBoard renders it as Markdown; indent lines by four spaces to show them literally.
    public func text(_ tag: String, _ text: String, step: Int) throws(EventFileError) {
        try append(.text(tag, text, step: step))
    }

    /// Waits until the records are on disk, where they survive a power failure.
    public func flush() throws(EventFileError) {
        try withHandle { handle, _ in try handle.synchronize() }
    }

    /// Flushes and closes the file; a writer also closes it when it is released. Closing twice does
    /// nothing.
    public func close() throws(EventFileError) {
        try state.withLock { state throws(EventFileError) in
            guard let handle = state.handle else { return }
            state.handle = nil
            do {
                try handle.synchronize()
                try handle.close()
            } catch {
                throw .cannotWrite(path: file.path, reason: Self.reason(error))
            }
        }
    }

    private func append(_ event: Tensorboard_Event) throws(EventFileError) {
        try withHandle { handle, end in
            var event = event
            event.wallTime = now()
            let frame = RecordFrame.framing(try event.serializedData())
            do {
                try handle.write(contentsOf: frame)
            } catch {
                // A full disk may have stored part of the record, and readers stop at an incomplete one.
                try? handle.truncate(atOffset: end)
                throw error
            }
            end += UInt64(frame.count)
        }
    }

    private func withHandle(_ body: (FileHandle, inout UInt64) throws -> Void) throws(EventFileError) {
        try state.withLock { state throws(EventFileError) in
            guard let handle = state.handle else { throw .closed(path: file.path) }
            do {
                try body(handle, &state.end)
            } catch {
                throw .cannotWrite(path: file.path, reason: Self.reason(error))
            }
        }
    }

    /// Creates `events.out.tfevents.<seconds>.<host>.<process>` in `folder`.
    ///
    /// TensorBoard reads the files of a folder in the order of their names, so the seconds have ten digits. A second
    /// writer of the same process within a second gets a number after the name: no file is ever overwritten.
    private static func create(in folder: URL, at time: Double) throws(EventFileError) -> (URL, FileHandle) {
        let process = ProcessInfo.processInfo
        let seconds = String(format: "%010.0f", time.rounded(.down))
        let name = "events.out.tfevents.\(seconds).\(process.hostName).\(process.processIdentifier)"
        var file = folder.appendingPathComponent(name)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var number = 0
            while true {
                do {
                    try Data().write(to: file, options: .withoutOverwriting)
                    return (file, try FileHandle(forWritingTo: file))
                } catch CocoaError.fileWriteFileExists {
                    number += 1
                    file = folder.appendingPathComponent("\(name).\(number)")
                }
            }
        } catch {
            throw .cannotCreate(path: file.path, reason: reason(error))
        }
    }

    /// The operating system's message if available: Foundation's refers to documents and volumes.
    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        let cause = (underlying ?? error) as NSError
        guard cause.domain == NSPOSIXErrorDomain else { return error.localizedDescription }
        return String(cString: strerror(Int32(cause.code)))
    }
}
