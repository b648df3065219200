import Files
import Foundation
public import Text

/// Text with holes: which positions are given and which the model writes.
///
/// `[[12]]` is a hole of twelve tokens, `[[*]]` fills the rest of the length (several share it evenly, the first ones
/// taking the remainder), and `[[end]]` is the tokenizer's end of text. Only before a `[`, a backslash is an escape:
/// `\[` is a literal `[`, so that `\[[12]]` is the text `[[12]]` and `\[[[4]]` a bracket before a hole; `\\[[4]]` is a
/// backslash before a hole. Each stretch of text is tokenized separately.
public struct Template: Sendable, Equatable {
    /// A segment of a template.
    public enum Segment: Sendable, Equatable {
        /// Given text.
        case text(String)
        /// A hole of the given number of tokens; 1 or more.
        case hole(Int)
        /// A hole that fills the remaining length.
        case fill
        /// The tokenizer's end of text, to which no text encodes.
        case end
    }

    let segments: [Segment]

    /// A template of consecutive segments.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` for a hole of zero or too many tokens.
    public init(_ segments: [Segment]) throws(SEDDError) {
        for case .hole(let count) in segments where !Self.holes.contains(count) {
            throw SEDDError(.usage, "template: a hole of \(count) tokens; expected 1 to \(Self.holes.upperBound)")
        }
        self.segments = segments
    }

    /// The admissible size of a hole.
    private static let holes = 1...1 << 24

    /// Maximum length of a hole's content, bytes: that of the largest count.
    private static let longestHole = 8

    /// - Throws: ``SEDDError`` of kind `usage` that quotes the invalid hole.
    public init(_ source: String) throws(SEDDError) {
        // Bytewise: in Swift strings a combining mark after a hole would be part of its closing bracket.
        let bytes = Array(source.utf8)
        let (open, close, escape) = (UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "\\"))
        func has(_ byte: UInt8, twiceAt place: Int) -> Bool {
            place + 1 < bytes.count && bytes[place] == byte && bytes[place + 1] == byte
        }
        var segments: [Segment] = []
        var text: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == escape {
                let escapes = bytes[place...].prefix { $0 == escape }.count
                place += escapes
                guard place < bytes.count, bytes[place] == open else {
                    text += repeatElement(escape, count: escapes)
                    continue
                }
                text += repeatElement(escape, count: escapes / 2)
                if escapes % 2 == 1 {
                    text.append(open)
                    place += 1
                }
            } else if has(open, twiceAt: place) {
                let start = place + 2
                guard
                    let end = (start..<min(bytes.count, start + Self.longestHole + 1)).first(where: {
                        has(close, twiceAt: $0)
                    })
                else { throw Self.unclosed(bytes[place...]) }
                if !text.isEmpty { segments.append(.text(String(decoding: text, as: UTF8.self))) }
                text = []
                segments.append(try Self.hole(String(decoding: bytes[start..<end], as: UTF8.self)))
                place = end + 2
            } else {
                text.append(bytes[place])
                place += 1
            }
        }
        if !text.isEmpty { segments.append(.text(String(decoding: text, as: UTF8.self))) }
        self.segments = segments
    }

    private static func unclosed(_ bytes: ArraySlice<UInt8>) -> SEDDError {
        let quoted = String(decoding: bytes.prefix(16), as: UTF8.self)
        return SEDDError(
            .usage,
            "template: '\(quoted)\(bytes.count > 16 ? "…" : "")' does not begin a hole; expected [[12]] with a count of 1 to \(holes.upperBound), [[*]] or [[end]]; write \\[[ for a literal [["
        )
    }

    private static func hole(_ inside: String) throws(SEDDError) -> Segment {
        if inside == "*" { return .fill }
        if inside == "end" { return .end }
        guard let count = Int(inside), holes.contains(count) else {
            throw SEDDError(
                .usage,
                "template: the hole '[[\(inside)]]' is invalid; expected a count of 1 to \(holes.upperBound), *, or end; write \\[[ for a literal [["
            )
        }
        return .hole(count)
    }

    /// Maximum number of positions of a template.
    private static let greatestLength = 1 << 20

    /// Total size of the holes with a count; a lower bound on the length.
    public var sizedHoleTokens: Int {
        segments.reduce(0) { sum, segment in
            if case .hole(let count) = segment { sum + count } else { sum }
        }
    }

    /// Whether the template leaves any position to the model.
    var hasHoles: Bool {
        segments.contains { segment in
            switch segment {
            case .hole, .fill: true
            case .text, .end: false
            }
        }
    }
    private var hasFill: Bool { segments.contains(.fill) }

    private func end(of tokenizer: any Tokenizer) throws(SEDDError) -> Int {
        guard let end = tokenizer.endOfText else {
            throw SEDDError(
                .usage, "template: [[end]], but the tokenizer '\(tokenizer.kind)' has no end of text; leave it out")
        }
        return Int(end)
    }

    /// One token for each given position, nil for each free one.
    ///
    /// - Parameters:
    ///   - length: the requested length; nil for the template's own, if it has holes and no `[[*]]`. If a template
    ///     without `[[*]]` is shorter, the remaining positions are free and follow its end.
    ///   - modelLength: the length if neither determines one.
    /// - Throws: ``SEDDError`` of kind `usage` if the template exceeds the length, or contains `[[end]]` and the
    ///   tokenizer has no end of text.
    public func positions(
        tokenizer: any Tokenizer, length: Int?, modelLength: Int
    ) throws -> [Int?] {
        // Checked before an array of that size is allocated.
        guard sizedHoleTokens <= Self.greatestLength else {
            throw SEDDError(
                .usage, "template: its holes take \(sizedHoleTokens) tokens; expected at most \(Self.greatestLength)")
        }
        let parts: [[Int?]] = try segments.map { segment in
            switch segment {
            case .text(let text): try tokenizer.encode(text).map { Int($0) }
            case .hole(let count): [Int?](repeating: nil, count: count)
            case .fill: []
            case .end: [try end(of: tokenizer)]
            }
        }
        let own = parts.reduce(0) { $0 + $1.count }
        let target = length ?? (hasFill || !hasHoles ? modelLength : own)
        guard target <= Self.greatestLength else {
            throw SEDDError(
                .usage, "template: a length of \(target) tokens; expected at most \(Self.greatestLength)")
        }
        guard own <= target else {
            throw SEDDError(
                .usage, "template: \(own) tokens exceed the length of \(target); shorten it or raise the length")
        }
        let fills = segments.count { $0 == .fill }
        var free = target - own
        var left = max(fills, 1)
        var positions: [Int?] = []
        for (segment, part) in zip(segments, parts) {
            positions += part
            guard segment == .fill else { continue }
            let share = (free + left - 1) / left
            positions += [Int?](repeating: nil, count: share)
            free -= share
            left -= 1
        }
        return positions + [Int?](repeating: nil, count: target - positions.count)
    }
}
