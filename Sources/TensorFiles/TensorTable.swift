package import Files

/// Named tensors of one file: names, shapes and types are known and checked against the file's size, elements are read on
/// demand.
package protocol TensorTable {
    /// The file.
    var path: String { get }
    var entries: [String: TensorEntry] { get }
    /// The elements of `name` in row order, little-endian.
    ///
    /// - Throws: ``FileError`` of kind `invalidData`, naming the file and the tensor.
    func bytes(_ name: String) throws(FileError) -> [UInt8]
}

/// What a file says of one tensor.
package struct TensorEntry: Sendable, Equatable {
    package let element: ElementType
    package let shape: [Int]

    package init(element: ElementType, shape: [Int]) {
        self.element = element
        self.shape = shape
    }

    /// The number of elements of `shape`; nil where no Int holds it, or a size is negative.
    package static func count(_ shape: [Int]) -> Int? {
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }
}
