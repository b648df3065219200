import Synchronization
import Testing

@testable import Torch

@Suite struct ParallelTaskTests {
    @Test(arguments: [0, 1, 2, 3, 64, 1000]) func runsEachTaskOnce(_ count: Int) throws {
        let runs = Mutex([Int](repeating: 0, count: count))
        let results = try ParallelTasks.map(count) { task in
            runs.withLock { $0[task] += 1 }
            return task * task
        }
        #expect(results == (0..<count).map { $0 * $0 })
        #expect(runs.withLock { $0 } == [Int](repeating: 1, count: count))
    }

    @Test func throwsTheFirstErrorByNumber() {
        struct Failed: Error, Equatable { let task: Int }
        let ended = Mutex(0)
        #expect(throws: Failed(task: 3)) {
            try ParallelTasks.map(100) { task in
                defer { ended.withLock { $0 += 1 } }
                if task == 3 || task == 70 { throw Failed(task: task) }
            }
        }
        #expect(ended.withLock { $0 } == 100)
    }

    /// Products of libtorch choose their kernels by the number of threads; inside a task there is one.
    @Test func operatorsInsideUseOneThread() throws {
        let x = try (0..<64).map { seed in
            try Tensor((0..<300 * 200).map { Float(($0 * 7919 + seed * 31) % 1009) / 1009 }, shape: [300, 200])
        }
        let products = try ParallelTasks.map(x.count) { task in
            try ParallelTasks.map(2) { _ in try x[task].transposed(0, 1).matmul(x[task]).array() as [Float] }
        }
        for (task, twice) in products.enumerated() {
            #expect(twice[0] == twice[1])
            let alone = try ParallelTasks.map(1) { _ in try x[task].transposed(0, 1).matmul(x[task]).array() as [Float]
            }
            #expect(alone[0] == twice[0])
        }
    }

    @Test(arguments: [(1, 1), (5, 2), (100_003, 3), (262_144, 4)])
    func addsPartsInTheirOrder(_ size: Int, _ parts: Int) throws {
        let values: [[Float]] = (0...parts).map { part in
            (0..<size).map { index -> Float in
                let mixed = (index &* 2_654_435_761 &+ part &* 40503) % 10007
                return Float(mixed) / 3001 - 1.5
            }
        }
        let sum = try Tensor(values[0], shape: [size])
        try Kernels.add(values.dropFirst().map { try Tensor($0, shape: [size]) }, to: sum)
        var expected = values[0]
        for part in values.dropFirst() {
            for index in 0..<size { expected[index] += part[index] }
        }
        #expect(try sum.array() == expected)
    }

    @Test func refusesPartsOfAnotherSize() throws {
        let sum = try Tensor.zeros([4])
        #expect(throws: TorchError.self) { try Kernels.add([Tensor.zeros([5])], to: sum) }
    }
}
