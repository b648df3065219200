import Files

/// How texts are sampled: one value shared by run.yaml, the command line, requests and reports.
public struct SamplingSettings: Sendable, Hashable {
    /// Name of the sampling method.
    public var method: String
    /// Steps of the time grid before the final denoising; ignored by event-driven methods.
    public var steps: Int
    /// Placement of the steps.
    public var grid: TimeGrid.Kind
    /// Filter on the law of the clean token.
    public var filter: TokenFilter
    /// Settings declared by the method, by name; absent ones have their default.
    public var own: [String: SettingValue]

    /// Creates settings; ``validate()`` checks them.
    public init(
        method: String = "analytic", steps: Int = 128, grid: TimeGrid.Kind = .linear,
        filter: TokenFilter = TokenFilter(), own: [String: SettingValue] = [:]
    ) {
        self.method = method
        self.steps = steps
        self.grid = grid
        self.filter = filter
        self.own = own
    }

    /// The value of a declared setting.
    func value(_ setting: SettingDeclaration) -> SettingValue { own[setting.name] ?? setting.standard }

    /// The value of a declared numeric setting.
    func number(_ setting: SettingDeclaration) -> Double {
        if case .number(let number) = value(setting) { return number }
        return .nan
    }

    /// The value of a declared integer setting.
    func whole(_ setting: SettingDeclaration) -> Int { Int(exactly: number(setting)) ?? 0 }

    /// The value of a declared choice.
    func word(_ setting: SettingDeclaration) -> String { value(setting).description }

    /// Checks everything that does not depend on a model.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` that names the setting, its value and the expected value.
    public func validate() throws(SEDDError) {
        let kind = try SamplingMethods.named(method)
        guard (1...Self.mostSteps).contains(steps) else {
            throw SEDDError(.usage, "steps is \(steps); expected 1 to \(Self.mostSteps)")
        }
        try filter.validate()
        for (name, value) in own.sorted(by: { $0.key < $1.key }) {
            guard let setting = kind.settings.first(where: { $0.name == name }) else {
                let owners = SamplingMethods.all.filter { $0.settings.contains { $0.name == name } }.map(\.name)
                throw SEDDError(
                    .usage,
                    owners.isEmpty
                        ? "sampler '\(method)' has no setting '\(name)'"
                        : "\(name) is a setting of \(owners.joined(separator: ", ")); the sampler is '\(method)'")
            }
            try setting.check(value)
        }
    }

    /// Parses a method with optional settings, such as `remask:eta=4,strategy=loop,top_p=0.9`.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` for an unknown name or an invalid value.
    public init(_ specification: String) throws(SEDDError) {
        let parts = specification.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(method: String(parts.first ?? ""))
        for pair in parts.count == 2 ? parts[1].split(separator: ",") : [] {
            let words = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2 else {
                throw SEDDError(.usage, "sampler '\(specification)': '\(pair)' is not a setting; expected name=value")
            }
            func number<Number: LosslessStringConvertible>(_ expected: String) throws(SEDDError) -> Number {
                guard let number = Number(words[1]) else {
                    throw SEDDError(
                        .usage, "sampler '\(specification)': \(words[0]) is '\(words[1])'; expected \(expected)")
                }
                return number
            }
            switch words[0] {
            case "grid": grid = try TimeGrid.Kind(named: words[1])
            case "temperature": filter.temperature = try number("a number")
            case "top_p": filter.topP = try number("a number")
            case "top_k": filter.topK = try number("a whole number")
            case let name:
                guard let setting = try SamplingMethods.named(method).settings.first(where: { $0.name == name }) else {
                    throw SEDDError(
                        .usage,
                        "sampler '\(specification)': '\(name)' is not a setting of \(method); expected grid, temperature, top_k, top_p\(try SamplingMethods.named(method).settings.map { ", " + $0.name }.joined())"
                    )
                }
                own[name] = try setting.value(words[1])
            }
        }
        try validate()
    }

    /// The maximum; grids are computed in advance.
    static let mostSteps = 1_000_000

    /// The method and every setting that differs from its default, as shown in reports. Steps are reported separately.
    public var summary: String {
        let standard = SamplingSettings()
        var words = [method]
        if grid != standard.grid { words.append("\(grid.name) grid") }
        if filter.temperature != 1 { words.append("temperature \(SettingValue.number(filter.temperature))") }
        if let topK = filter.topK { words.append("top-k \(topK)") }
        if let topP = filter.topP { words.append("top-p \(topP)") }
        words += own.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return words.joined(separator: ", ")
    }
}

/// A coding key determined at run time.
struct NamedKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension SamplingSettings: Codable {
    private enum Keys: String, CodingKey {
        case method, steps, grid, temperature
        case topK = "top_k", topP = "top_p"
        /// An older name of the method's key in run.yaml.
        case predictor
    }

    /// Missing keys keep their defaults; `predictor` is read as an older name of `method`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        self.init()
        method =
            try container.decodeIfPresent(String.self, forKey: .method)
            ?? container.decodeIfPresent(String.self, forKey: .predictor) ?? method
        steps = try container.decodeIfPresent(Int.self, forKey: .steps) ?? steps
        grid = try container.decodeIfPresent(TimeGrid.Kind.self, forKey: .grid) ?? grid
        filter = TokenFilter(
            temperature: try container.decodeIfPresent(Double.self, forKey: .temperature) ?? 1,
            topK: try container.decodeIfPresent(Int.self, forKey: .topK),
            topP: try container.decodeIfPresent(Double.self, forKey: .topP))
        own = try Self.own(decoder)
    }

    /// The settings declared by methods that are present.
    static func own(_ decoder: any Decoder) throws -> [String: SettingValue] {
        let container = try decoder.container(keyedBy: NamedKey.self)
        return try SamplingMethods.settings.reduce(into: [:]) { own, setting in
            let key = NamedKey(setting.name)
            guard container.contains(key), try !container.decodeNil(forKey: key) else { return }
            own[setting.name] = try container.decode(SettingValue.self, forKey: key)
        }
    }

    /// Writes the settings declared by the method beside the common ones.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(method, forKey: .method)
        try container.encode(steps, forKey: .steps)
        try container.encode(grid, forKey: .grid)
        try container.encode(filter.temperature, forKey: .temperature)
        // Null if all tokens are kept, so that readers of run.yaml see that the key exists.
        try container.encode(filter.topK, forKey: .topK)
        try container.encode(filter.topP, forKey: .topP)
        var named = encoder.container(keyedBy: NamedKey.self)
        for (name, value) in own.sorted(by: { $0.key < $1.key }) { try named.encode(value, forKey: NamedKey(name)) }
    }
}
