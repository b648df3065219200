import SEDD
import Text

/// The settled text of a completion, in reading order.
struct CompletionText: Sendable {
    /// The final text so far; while generation continues, a prefix of the final text.
    let text: String
    /// `stop` if a stop sequence or an end of text ended it, `length` if the hole did; nil while generation continues.
    let finishReason: String?

    /// The completion in positions `hole` of `state`.
    ///
    /// While the sequence is in progress, only the text settled from the start of the hole counts, without an
    /// incomplete character and without a possible beginning of a stop sequence. If tokens may change until the end,
    /// nothing is settled before.
    init(_ state: Trajectory, hole: Range<Int>, stops: [String], model: ServedModel) throws {
        let ids = state.final(in: hole).map { Int32($0) }
        let end = model.tokenizer.endOfText.flatMap { ids.firstIndex(of: $0) }
        let bytes = try model.tokenizer.decode(ids[..<(end ?? ids.endIndex)])
        self.init(bytes, isWhole: state.isFinished, isEnded: end != nil, stops: stops)
    }

    /// - Parameters:
    ///   - isWhole: whether nothing follows `bytes`.
    ///   - isEnded: whether an end of text follows them.
    init(_ bytes: [UInt8], isWhole: Bool, isEnded: Bool = false, stops: [String]) {
        let stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
        let end: Int
        if let found = stops.compactMap({ Self.place(of: $0, in: bytes) }).min() {
            (end, finishReason) = (found, "stop")
        } else if isEnded {
            (end, finishReason) = (bytes.count, "stop")
        } else if isWhole {
            (end, finishReason) = (bytes.count, "length")
        } else {
            let held = stops.map { Self.overlap(bytes, $0) }.max() ?? 0
            (end, finishReason) = (min(bytes.count - held, Self.charactersEnd(bytes)), nil)
        }
        text = String(decoding: bytes[..<end], as: UTF8.self)
    }

    private static func place(of part: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return (0...(bytes.count - part.count)).first { bytes[$0..<($0 + part.count)].elementsEqual(part) }
    }

    /// Number of bytes at the end of `bytes` that are a prefix of `stop`.
    private static func overlap(_ bytes: [UInt8], _ stop: [UInt8]) -> Int {
        (0..<min(stop.count, bytes.count + 1)).last { bytes.suffix($0).elementsEqual(stop.prefix($0)) } ?? 0
    }

    /// Start of an incomplete character at the end of `bytes`; the end of `bytes` if there is none.
    static func charactersEnd(_ bytes: [UInt8]) -> Int {
        for back in 1..<4 where back <= bytes.count {
            let lead = bytes[bytes.count - back]
            if lead & 0xC0 == 0x80 { continue }
            let width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1
            return width > back ? bytes.count - back : bytes.count
        }
        return bytes.count
    }
}
