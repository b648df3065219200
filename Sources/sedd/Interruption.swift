import CStartup

/// Ctrl-C, SIGTERM and a closed terminal as a question that work asks at a good moment; the second one ends the process at once.
///
/// Until work says that it asks, each of them ends the process, with the same exit code (`CStartup`).
enum Interruption {
    /// From now on the first signal is noted.
    static func note() { startup_set_interruption(STARTUP_NOTE) }

    static var wasAsked: Bool { startup_was_interrupted() != 0 }
}
