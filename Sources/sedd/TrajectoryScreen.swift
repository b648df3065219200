import Foundation
import SEDD
import Text

/// Shows a sequence while it forms, on stderr: redrawn in place on a terminal, as a few snapshots elsewhere.
final class TrajectoryScreen {
    private let tokenizer: any Tokenizer
    private let mask: Int?
    private var rows = 0
    /// Number of snapshots when stderr is not a terminal.
    private let snapshots = 6
    private static let unsettled = "░"
    /// Shown for an end of text, whose literal name would look like part of the text.
    private static let end = Array("∎".utf8)

    init(tokenizer: any Tokenizer, mask: Int?) {
        self.tokenizer = tokenizer
        self.mask = mask
    }

    func show(_ state: Trajectory) throws {
        let planned = max(1, state.planned)
        let shown = state.done * snapshots / planned
        let before = (state.done - 1) * snapshots / planned
        guard Terminal.redraws || state.done == 0 || state.isFinished || shown != before else { return }
        let settled = mask.map { mask in state.states.count { $0 != mask } } ?? state.states.count
        let share = "\(settled) of \(state.states.count) positions settled"
        let title =
            "step \(min(state.done, state.planned)) of \(state.planned)  "
            + (mask == nil ? "\(state.changes.count) positions moved" : share)
        let text = title + "\n" + (try rendered(state))
        if Terminal.redraws {
            let up = rows > 0 ? "\u{1B}[\(rows)A\r\u{1B}[J" : ""
            rows = lines(text)
            write(up + text + "\n")
            if state.isFinished { write("\n") }
        } else {
            write(text + "\n\n")
        }
    }

    /// The text with unsettled positions as blocks; with colours, changes of the last step are highlighted.
    private func rendered(_ state: Trajectory) throws -> String {
        let fresh = Set(Terminal.hasColors ? state.changes.map(\.position) : [])
        var result = ""
        var run: [UInt8] = []
        var runIsFresh = false
        func flush() {
            guard !run.isEmpty else { return }
            let text = String(decoding: run, as: UTF8.self)
            result += runIsFresh ? "\u{1B}[1;32m\(text)\u{1B}[0m" : text
            run = []
        }
        for (position, token) in state.states.enumerated() {
            if token == mask {
                flush()
                result += Self.unsettled
                continue
            }
            let isFresh = fresh.contains(position)
            if isFresh != runIsFresh { flush() }
            runIsFresh = isFresh
            run += tokenizer.endOfText == Int32(token) ? Self.end : try tokenizer.bytes(of: Int32(token))
        }
        flush()
        return result
    }

    /// Screen lines that `text` occupies.
    private func lines(_ text: String) -> Int {
        let width = Terminal.width
        let plain = text.replacing(/\u{1B}\[[0-9;]*m/, with: "")
        return plain.split(separator: "\n", omittingEmptySubsequences: false)
            .reduce(0) { $0 + max(1, ($1.count + width - 1) / width) }
    }

    private func write(_ text: String) { StandardError.write(text) }
}
