/// Rewrites `--name -1` as `--name=-1`, and likewise other values that begin with a dash: the parser treats such a word as
/// an option and would report a missing value. The only option with a single dash is `-h`.
enum DashedValues {
    static func joined(_ words: [String]) -> [String] {
        var result: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" { return result + [word] + rest }
            if let last = result.last, last.hasPrefix("--"), !last.contains("="), isValue(word) {
                result[result.count - 1] = "\(last)=\(word)"
            } else {
                result.append(word)
            }
        }
        return result
    }

    private static func isValue(_ word: String) -> Bool {
        word.hasPrefix("-") && !word.hasPrefix("--") && word != "-" && word != "-h"
    }
}
