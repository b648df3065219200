/// The upper bound on counts given by users: products of two of them fit in an Int.
enum Limits {
    static let count = 1_000_000
}
