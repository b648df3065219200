import CTorch

/// Operators that take many elements to one, and running sums.
extension Tensor {
    /// The sum of all elements; rank 0.
    public func sum() throws(TorchError) -> Tensor { try Tensor.make("sum") { ct_sum(handle, $0) } }

    /// The sums along `dimension`, which stays as size 1 where `keep` says so.
    public func sum(_ dimension: Int, keep: Bool = false) throws(TorchError) -> Tensor {
        try Tensor.make("sum") { ct_sum_dimension(handle, Int64(dimension), keep, $0) }
    }

    /// The mean of all elements; rank 0.
    public func mean() throws(TorchError) -> Tensor { try Tensor.make("mean") { ct_mean(handle, $0) } }

    /// The greatest element; rank 0.
    public func maximum() throws(TorchError) -> Tensor { try Tensor.make("max") { ct_maximum(handle, $0) } }

    /// The Euclidean norm of all elements; rank 0.
    public func norm() throws(TorchError) -> Tensor { try Tensor.make("norm") { ct_norm(handle, $0) } }

    /// Whether every element is true; rank 0, bool.
    public func all() throws(TorchError) -> Tensor { try Tensor.make("all") { ct_all(handle, $0) } }

    /// Running sums along `dimension`.
    public func cumulativeSum(_ dimension: Int) throws(TorchError) -> Tensor {
        try Tensor.make("cumulative sum") { ct_cumulative_sum(handle, Int64(dimension), $0) }
    }

    /// For each row of `self` (rising), where `values` [.., M] would be put: before equals, or behind them with `right`.
    public func searchSorted(_ values: Tensor, right: Bool) throws(TorchError) -> Tensor {
        try Tensor.make("search sorted") { ct_search_sorted(handle, values.handle, right, $0) }
    }

    /// The greatest elements along `dimension`, which stays as size 1 where `keep` says so.
    public func maximum(_ dimension: Int, keep: Bool = false) throws(TorchError) -> Tensor {
        try Tensor.make("max") { ct_maximum_dimension(handle, Int64(dimension), keep, $0) }
    }

    /// The elements along `dimension` in order, and the place (int64) that each was at; equal ones keep their order.
    public func sorted(_ dimension: Int, descending: Bool = false) throws(TorchError) -> (
        values: Tensor, places: Tensor
    ) {
        var values = CTTensor()
        var places = CTTensor()
        try check(ct_sort(handle, Int64(dimension), descending, &values, &places), "sort")
        return (Tensor(owning: values), Tensor(owning: places))
    }

    /// The places (int64) of the greatest elements along `dimension`, which goes.
    public func argmax(_ dimension: Int) throws(TorchError) -> Tensor {
        try Tensor.make("argmax") { ct_argmax(handle, Int64(dimension), $0) }
    }
}
