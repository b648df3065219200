import CTorch

/// Reductions and cumulative sums.
extension Tensor {
    /// The sum of all elements; rank 0.
    public func sum() throws(TorchError) -> Tensor { try Tensor.make("sum") { ct_sum(handle, $0) } }

    /// Sums along `dimension`, which is kept as size 1 if `keep`.
    public func sum(_ dimension: Int, keep: Bool = false) throws(TorchError) -> Tensor {
        try Tensor.make("sum") { ct_sum_dimension(handle, Int64(dimension), keep, $0) }
    }

    /// The mean of all elements; rank 0.
    public func mean() throws(TorchError) -> Tensor { try Tensor.make("mean") { ct_mean(handle, $0) } }

    /// The largest element; rank 0.
    public func maximum() throws(TorchError) -> Tensor { try Tensor.make("max") { ct_maximum(handle, $0) } }

    /// The Euclidean norm of all elements; rank 0.
    public func norm() throws(TorchError) -> Tensor { try Tensor.make("norm") { ct_norm(handle, $0) } }

    /// Whether every element is true; rank 0, bool.
    public func all() throws(TorchError) -> Tensor { try Tensor.make("all") { ct_all(handle, $0) } }

    /// Cumulative sums along `dimension`.
    public func cumulativeSum(_ dimension: Int) throws(TorchError) -> Tensor {
        try Tensor.make("cumulative sum") { ct_cumulative_sum(handle, Int64(dimension), $0) }
    }

    /// Insertion positions of `values` [.., M] in each ascending row of `self`: before equal elements, or after them if
    /// `right`.
    public func searchSorted(_ values: Tensor, right: Bool) throws(TorchError) -> Tensor {
        try Tensor.make("search sorted") { ct_search_sorted(handle, values.handle, right, $0) }
    }

    /// The largest elements along `dimension`, which is kept as size 1 if `keep`.
    public func maximum(_ dimension: Int, keep: Bool = false) throws(TorchError) -> Tensor {
        try Tensor.make("max") { ct_maximum_dimension(handle, Int64(dimension), keep, $0) }
    }

    /// The elements sorted along `dimension`, and their original indices (int64); the sort is stable.
    public func sorted(_ dimension: Int, descending: Bool = false) throws(TorchError) -> (
        values: Tensor, places: Tensor
    ) {
        var values = CTTensor()
        var places = CTTensor()
        try check(ct_sort(handle, Int64(dimension), descending, &values, &places), "sort")
        return (Tensor(owning: values), Tensor(owning: places))
    }

    /// Indices (int64) of the largest elements along `dimension`, which is removed.
    public func argmax(_ dimension: Int) throws(TorchError) -> Tensor {
        try Tensor.make("argmax") { ct_argmax(handle, Int64(dimension), $0) }
    }
}
