/// Rewrites `--name -1` as `--name=-1`: the parser treats a word that begins with a dash as an option and would report
/// a missing value. No option begins with a digit.
enum NegativeNumbers {
    static func joined(_ words: [String]) -> [String] {
        var result: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" { return result + [word] + rest }
            if let last = result.last, last.hasPrefix("--"), !last.contains("="), isNegative(word) {
                result[result.count - 1] = "\(last)=\(word)"
            } else {
                result.append(word)
            }
        }
        return result
    }

    /// Also `-inf` and `-nan`: the option reports why they are invalid.
    private static func isNegative(_ word: String) -> Bool { word.hasPrefix("-") && Double(word) != nil }
}
