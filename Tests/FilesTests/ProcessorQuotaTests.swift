import Foundation
import Testing

@testable import Files

@Suite struct ProcessorQuotaTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let files: [String: String]
        let processors: Int?
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        .init(name: "no control groups", files: [:], processors: nil),
        .init(
            name: "version 2, no limit",
            files: ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"], processors: nil),
        .init(
            name: "version 2, two processors",
            files: ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"], processors: 2),
        .init(
            name: "a part of a processor is rounded up",
            files: ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"], processors: 2),
        .init(
            name: "less than one processor",
            files: ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "1000 100000\n"], processors: 1),
        .init(
            name: "the tightest limit of a group and those above it",
            files: [
                "proc/self/cgroup": "0::/jobs/seven\n", "sys/fs/cgroup/jobs/cpu.max": "300000 100000\n",
                "sys/fs/cgroup/jobs/seven/cpu.max": "800000 100000\n",
            ], processors: 3),
        .init(
            name: "a path of the host, seen from a container",
            files: ["proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"], processors: 4),
        .init(
            name: "version 1",
            files: [
                "proc/self/cgroup": "5:cpu,cpuacct:/job\n0::/\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            ], processors: 3),
        .init(
            name: "version 1 without a limit",
            files: [
                "proc/self/cgroup": "1:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            ], processors: nil),
        .init(
            name: "files that are not numbers",
            files: ["proc/self/cgroup": "0::/\nx\n1:\n", "sys/fs/cgroup/cpu.max": "nan 0\n"], processors: nil),
    ]

    @Test(arguments: cases) func isReadFromTheControlGroup(_ one: Case) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "quota-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, text) in one.files {
            let file = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(ProcessorQuota.processors(root: root) == one.processors)
    }
}
