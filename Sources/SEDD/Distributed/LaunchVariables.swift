import Files

/// Environment variables of launchers; empty ones count as absent.
struct LaunchVariables {
    private let environment: [String: String]

    init(_ environment: [String: String]) { self.environment = environment.filter { !$0.value.isEmpty } }

    subscript(_ name: String) -> String? { environment[name] }

    func has(_ name: String) -> Bool { environment[name] != nil }

    /// `NAME=value` of those that are set.
    func found(_ names: [String]) -> [String] { names.compactMap { name in environment[name].map { "\(name)=\($0)" } } }

    /// Maximum number of processes.
    private static let most = 1 << 20

    /// - Throws: ``SEDDError`` of kind `usage` if the value is not a whole number from 0.
    func number(_ name: String) throws(SEDDError) -> Int? {
        guard let text = environment[name] else { return nil }
        guard let value = Int(text), (0...Self.most).contains(value) else {
            throw SEDDError(.usage, "\(name) is '\(text)'; expected a whole number from 0 to \(Self.most)")
        }
        return value
    }

    /// - Throws: ``SEDDError`` of kind `usage` if the value is not a port.
    func port(_ name: String) throws(SEDDError) -> UInt16? {
        guard let text = environment[name] else { return nil }
        guard let value = UInt16(text), value > 0 else {
            throw SEDDError(.usage, "\(name) is '\(text)'; expected a port, 1 to 65535")
        }
        return value
    }

    /// A port that all processes derive from the job's name: an FNV-1a hash mapped to 15000 to 29999, below the ephemeral ports.
    static func port(from job: String) -> UInt16 {
        let hash = job.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return 15_000 + UInt16(hash % 15_000)
    }

    /// Expands `2(x3),1` to 2, 2, 2, 1; empty if the format is different.
    static func expanded(counts: String) -> [Int] {
        var numbers: [Int] = []
        for part in counts.split(separator: ",") {
            let pieces = part.split(whereSeparator: { "(x)".contains($0) })
            guard let value = pieces.first.flatMap({ Int($0) }), pieces.count <= 2,
                let times = pieces.count == 2 ? Int(pieces[1]) : 1, (1...most).contains(times),
                numbers.count + times <= most
            else { return [] }
            numbers += [Int](repeating: value, count: times)
        }
        return numbers
    }

    /// The first machine of SLURM's `gpu[01-04,07],login`: `gpu01`.
    static func firstHost(of list: String) -> String? {
        var (host, depth, isTaken) = ("", 0, false)
        for character in list {
            switch character {
            case "[":
                (depth, isTaken) = (depth + 1, false)
            case "]": (depth, isTaken) = (depth - 1, false)
            case "," where depth == 0: return host.isEmpty ? nil : host
            // The first number in the brackets.
            case ",", "-": if depth > 0 { isTaken = true } else { host.append(character) }
            default: if !isTaken { host.append(character) }
            }
        }
        return host.isEmpty || depth != 0 ? nil : host
    }
}
