package import Foundation

/// The processor time that Linux grants the control group of this process.
///
/// Containers and batch systems limit a process by quota without hiding any processor from it: threads beyond the quota only
/// exhaust it sooner, and then all of them are stopped for the rest of a period.
package enum ProcessorQuota {
    /// Number of processors' worth of time, rounded up; nil if there is no limit, or no control groups.
    ///
    /// - Parameter root: folder in place of `/`, for tests.
    package static func processors(root: URL = URL(filePath: "/")) -> Int? {
        guard let groups = text(root.appending(path: "proc/self/cgroup")) else { return nil }
        let shares = groups.split(separator: "\n").flatMap { line -> [Double] in
            // hierarchy:controllers:path; version 2 is hierarchy 0, without controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return [] }
            let controllers = parts[1].split(separator: ",")
            let path = parts[2].split(separator: "/").map(String.init)
            if parts[0] == "0", controllers.isEmpty {
                return ["sys/fs/cgroup", "sys/fs/cgroup/unified"].flatMap {
                    limits(root.appending(path: $0), path, second(version:))
                }
            }
            guard controllers.contains("cpu") else { return [] }
            return [String(parts[1]), "cpu"].flatMap {
                limits(root.appending(path: "sys/fs/cgroup/\($0)"), path, first(version:))
            }
        }
        return shares.min().map { max(1, Int($0.rounded(.up))) }
    }

    /// Limits of a group and of all above it. In a container the path may be the one that the host sees.
    private static func limits(_ mount: URL, _ path: [String], _ limit: (URL) -> Double?) -> [Double] {
        (0...path.count).compactMap { depth in
            limit(path.prefix(depth).reduce(mount) { $0.appending(path: $1) })
        }
    }

    /// `cpu.max`: the quota, or `max`, and the period.
    private static func second(version group: URL) -> Double? {
        let numbers = text(group.appending(path: "cpu.max"))?.split(whereSeparator: \.isWhitespace) ?? []
        guard numbers.count == 2 else { return nil }
        return share(Double(numbers[0]), of: Double(numbers[1]))
    }

    /// `cpu.cfs_quota_us`, or -1, and `cpu.cfs_period_us`.
    private static func first(version group: URL) -> Double? {
        func number(_ name: String) -> Double? {
            text(group.appending(path: name)).flatMap { Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        return share(number("cpu.cfs_quota_us"), of: number("cpu.cfs_period_us"))
    }

    private static func share(_ quota: Double?, of period: Double?) -> Double? {
        guard let quota, let period, quota > 0, period > 0, (quota / period) < 1e6 else { return nil }
        return quota / period
    }

    private static func text(_ url: URL) -> String? { try? String(contentsOf: url, encoding: .utf8) }
}
