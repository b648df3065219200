package import Files

/// Named tensors of one file: names, shapes and types are known and validated against the file's size; elements are
/// read on demand.
package protocol TensorTable {
    /// Path of the file.
    var path: String { get }
    var entries: [String: TensorEntry] { get }
    /// The elements of `name` in row-major order, little-endian.
    ///
    /// - Throws: ``FileError`` of kind `invalidData` that names the file and the tensor.
    func bytes(_ name: String) throws(FileError) -> [UInt8]
}

/// Type and shape of a tensor in a file.
package struct TensorEntry: Sendable, Equatable {
    /// Element type.
    package let element: ElementType
    /// Dimensions; row-major.
    package let shape: [Int]

    /// Creates an entry.
    package init(element: ElementType, shape: [Int]) {
        self.element = element
        self.shape = shape
    }

    /// The number of elements of `shape`; nil if it overflows or a size is negative.
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
