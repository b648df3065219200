import ArgumentParser

/// A seed on the command line: any 64-bit integer, signed or unsigned.
struct Seed: ExpressibleByArgument, ExpressibleByIntegerLiteral, CustomStringConvertible {
    let value: UInt64
    /// Whether it was given as -1, which requests a random one where that makes a difference, as in the HTTP API.
    let isDrawn: Bool

    init(integerLiteral value: UInt64) { (self.value, isDrawn) = (value, false) }

    init?(argument: String) {
        guard let value = UInt64(argument) ?? Int64(argument).map({ UInt64(bitPattern: $0) }) else { return nil }
        (self.value, isDrawn) = (value, Int64(argument) == -1)
    }

    var description: String { String(value) }
    var defaultValueDescription: String { description }
}
