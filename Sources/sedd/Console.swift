import Foundation

/// Progress of a command on stderr: a bar on a terminal, plain lines elsewhere.
final class Console {
    /// Whether another process prints instead.
    private let isQuiet: Bool
    private var barShown = false
    private var lastPlain = ContinuousClock.now - .seconds(3600)
    /// Seconds between plain lines when stderr is not a terminal.
    private let plainInterval = Duration.seconds(10)

    init(isQuiet: Bool = false) { self.isQuiet = isQuiet }

    /// Shows progress from 0 to 1.
    func progress(_ fraction: Double, _ text: @autoclosure () -> String, always: Bool = false) {
        if isQuiet { return }
        if Terminal.redraws {
            let width = 24
            let filled = min(width, max(0, Int(fraction * Double(width))))
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
            write("\r\u{1B}[K\(bar) \(String(format: "%3d", Int(fraction * 100))) %  \(text())")
            barShown = true
        } else if always || ContinuousClock.now - lastPlain >= plainInterval {
            lastPlain = .now
            write("\(text())\n")
        }
    }

    /// Writes a line; the next ``progress(_:_:always:)`` redraws the bar below it.
    func line(_ text: String) {
        write((barShown ? "\r\u{1B}[K" : "") + text + "\n")
        barShown = false
    }

    /// Ends the bar.
    func finish() {
        if barShown { write("\n") }
        barShown = false
    }

    /// Reports something worth knowing that does not stop the command.
    static func note(_ text: String) { StandardError.write("sedd: note: \(Failure.printable(text))\n") }

    private func write(_ text: String) { if !isQuiet { StandardError.write(text) } }

    /// `1h02m`, `3m20s` or `12s`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e7 else { return "?" }
        let whole = Int(seconds.rounded())
        if whole >= 3600 { return "\(whole / 3600)h" + String(format: "%02dm", whole % 3600 / 60) }
        if whole >= 60 { return "\(whole / 60)m" + String(format: "%02ds", whole % 60) }
        return "\(whole)s"
    }
}
