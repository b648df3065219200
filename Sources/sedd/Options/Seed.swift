import ArgumentParser

/// A seed as the command line names it: any integer of 64 bits, signed or not.
struct Seed: ExpressibleByArgument, ExpressibleByIntegerLiteral, CustomStringConvertible {
    let value: UInt64

    init(integerLiteral value: UInt64) { self.value = value }

    init?(argument: String) {
        guard let value = UInt64(argument) ?? Int64(argument).map({ UInt64(bitPattern: $0) }) else { return nil }
        self.value = value
    }

    /// The seed, or nil for -1, which asks for one that is drawn, as it does over HTTP.
    var orNilToDraw: UInt64? { value == .max ? nil : value }

    var description: String { String(value) }
    var defaultValueDescription: String { description }
}
