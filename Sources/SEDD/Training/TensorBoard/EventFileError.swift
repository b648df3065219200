/// Why an event file could not be written; the description says what failed, where, and what to do, in one line.
public enum EventFileError: Error, Equatable, CustomStringConvertible {
    /// The run folder, or the new file in it, could not be created.
    case cannotCreate(path: String, reason: String)
    /// A record was not written; the file still ends with the previous record.
    case cannotWrite(path: String, reason: String)
    /// A record was added after ``EventFileWriter/close()``.
    case closed(path: String)

    /// What failed, where, and what to do, in one line.
    public var description: String {
        switch self {
        case .cannotCreate(let path, let reason):
            "cannot create the event file \(path): \(reason); choose a run folder that you may write to"
        case .cannotWrite(let path, let reason):
            "cannot write to the event file \(path): \(reason); free disk space or check the disk, then resume the run"
        case .closed(let path):
            "cannot write to the event file \(path): it is closed; log before closing it or open a new writer"
        }
    }
}
