import Foundation
import Testing
import Torch

/// Rows of SiLU are functions of themselves alone, at every width: libraries compute what does not fill a vector by another function,
/// and which elements these are depends on the number of rows.
struct RowSiluTests {
    @Test func rowsDoNotDependOnOtherRows() throws {
        for width in 1...200 {
            let numbers = (0..<7 * width).map { 8 * Float(sin(Double($0) * 1.37 + Double(width))) }
            let alone = try (0..<7).map { row -> [Float] in
                try Tensor(Array(numbers[row * width..<(row + 1) * width]), shape: [1, width]).rowSilu().array()
            }
            for rows in 1...7 {
                let found: [Float] = try Tensor(Array(numbers[..<(rows * width)]), shape: [rows, width]).rowSilu()
                    .array()
                #expect(
                    found.map(\.bitPattern) == alone[..<rows].flatMap { $0 }.map(\.bitPattern),
                    "\(rows) rows of \(width)")
            }
        }
    }

    @Test func values() throws {
        let numbers: [Float] = [-.infinity, -1e30, -100, -88, -20, -1, -1e-6, 0, 1e-6, 0.5, 1, 20, 88, 100, 1e30, .nan]
        let found: [Float] = try Tensor(numbers, shape: [2, 8]).rowSilu().array()
        for (x, y) in zip(numbers, found) {
            let truth = Double(x) / (1 + exp(-Double(x)))
            if x.isNaN || x == -.infinity { continue }
            #expect(abs(Double(y) - truth) <= 2e-7 * abs(truth) + 1e-20, "silu(\(x)) is \(y), expected \(truth)")
        }
        #expect(found[15].isNaN)
    }
}
