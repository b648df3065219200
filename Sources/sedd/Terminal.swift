import Foundation

/// Capabilities of stderr, for progress display: cursor movement and colours.
enum Terminal {
    /// Whether output can be redrawn in place; not with `TERM=dumb`.
    static let redraws = isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"
    /// Whether to use colours; not with a nonempty `NO_COLOR` (no-color.org).
    static let hasColors = redraws && (environment("NO_COLOR") ?? "").isEmpty

    /// Number of columns.
    static var width: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    private static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
