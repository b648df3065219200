/// `--name -1` as `--name=-1`: to the parser a word that begins with a dash is an option, and its complaint would be that a value is
/// missing. None of the options here begins with a digit.
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

    /// `-inf` and `-nan` too: the option says why they do not fit.
    private static func isNegative(_ word: String) -> Bool { word.hasPrefix("-") && Double(word) != nil }
}
