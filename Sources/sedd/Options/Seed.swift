import ArgumentParser

/// A seed on the command line: any 64-bit integer, signed or unsigned.
struct Seed: ExpressibleByArgument, ExpressibleByIntegerLiteral, CustomStringConvertible {
    let value: UInt64

    init(integerLiteral value: UInt64) { self.value = value }

    init?(argument: String) {
        guard let value = UInt64(argument) ?? Int64(argument).map({ UInt64(bitPattern: $0) }) else { return nil }
        self.value = value
    }

    /// The seed, or nil for -1, which requests a random one, as in the HTTP API.
    var orNilToDraw: UInt64? { value == .max ? nil : value }

    var description: String { String(value) }
    var defaultValueDescription: String { description }
}
