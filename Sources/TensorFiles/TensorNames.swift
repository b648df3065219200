/// Prefixes that wrappers add to tensor names, and their removal.
package enum TensorNames {
    /// Compiled modules, parallel training, and networks wrapped in another class.
    static let wrappers: Set<Substring> = ["_orig_mod", "module", "backbone"]

    /// `name` without leading wrapper prefixes, in any order and repetition; a compiled module's prefix is also removed
    /// from the middle.
    package static func stripped(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: ".")) else { return name }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let inner = parts.dropLast().drop { wrappers.contains($0) }.filter { $0 != "_orig_mod" }
        return (inner + parts.suffix(1)).joined(separator: ".")
    }
}
