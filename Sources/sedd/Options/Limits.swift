/// How large a count may be that a person asks for: products of two of them are numbers still.
enum Limits {
    static let count = 1_000_000
}
