import CStartup

/// Turns Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 into a flag that long-running work polls; a second signal terminates the
/// process at once.
///
/// Until work starts polling, each of them terminates the process with the same exit code (`CStartup`).
enum Interruption {
    /// From now on the first signal only sets the flag.
    static func note() { startup_set_interruption(STARTUP_NOTE) }

    static var wasAsked: Bool { startup_was_interrupted() != 0 }
}
