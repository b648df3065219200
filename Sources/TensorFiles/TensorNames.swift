/// What wrappers put before the names of a network's tensors, and what is left without it.
package enum TensorNames {
    /// Compiled modules, parallel training, and networks that another class holds.
    static let wrappers: Set<Substring> = ["_orig_mod", "module", "backbone"]

    /// `name` without the wrappers it starts with, in any order and repetition; a compiled module's wrapper is taken out of the
    /// middle as well.
    package static func stripped(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: ".")) else { return name }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let inner = parts.dropLast().drop { wrappers.contains($0) }.filter { $0 != "_orig_mod" }
        return (inner + parts.suffix(1)).joined(separator: ".")
    }
}
