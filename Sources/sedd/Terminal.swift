import Foundation

/// What stderr is, for progress that is drawn: a terminal that can move its cursor, and may show colours, or neither.
enum Terminal {
    /// Whether what was written can be drawn over. `TERM=dumb` says that it cannot.
    static let redraws = isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"
    /// Whether colours are wanted: not with a `NO_COLOR` that is not empty (no-color.org).
    static let hasColors = redraws && (environment("NO_COLOR") ?? "").isEmpty

    /// Columns.
    static var width: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
