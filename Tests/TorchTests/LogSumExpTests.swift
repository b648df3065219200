import Foundation
import Testing
import Torch

/// log sum e^x of rows, on the CPU.
struct LogSumExpTests {
    @Test func values() throws {
        for (width, columns) in [(1, 1), (5, 3), (33, 33), (1030, 1029), (5000, 5000)] {
            let numbers = (0..<2 * width).map { 30 * Float(sin(Double($0) * 1.37)) }
            let found: [Double] = try Kernels.logSumExp(Tensor(numbers, shape: [2, width]), columns: columns).array()
            for row in 0..<2 {
                let truth = log(numbers[row * width..<row * width + columns].reduce(0) { $0 + exp(Double($1)) })
                #expect(
                    abs(found[row] - truth) <= 3e-7 * max(1, abs(truth)),
                    "row \(row) of \(width): \(found[row]), \(truth)")
            }
        }
    }

    @Test(
        arguments: [
            ([-.infinity, -.infinity], -.infinity), ([.infinity, 1], .infinity), ([-.infinity, 2], 2),
            ([.nan, .nan], .nan),
            ([.nan, -.infinity], .nan), ([.infinity, .nan], .nan), ([1, .nan], .nan),
        ] as [([Float], Double)])
    func rowsThatAreNotFinite(_ row: [Float], _ expected: Double) throws {
        let found: [Double] = try Kernels.logSumExp(Tensor(row, shape: [1, row.count]), columns: row.count).array()
        #expect(found[0] == expected || (found[0].isNaN && expected.isNaN), "\(row): \(found[0])")
    }
}
