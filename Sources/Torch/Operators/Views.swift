import CTorch

/// Views, copies and indexing.
extension Tensor {
    /// The elements in another shape; one size may be -1 and is inferred.
    public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try Tensor.make("reshape") { ct_reshape(handle, sizes, Int32(sizes.count), $0) }
    }

    /// Exchanges two dimensions.
    public func transposed(_ first: Int, _ second: Int) throws(TorchError) -> Tensor {
        try Tensor.make("transpose") { ct_transpose(handle, Int64(first), Int64(second), $0) }
    }

    /// `length` entries of `dimension`, starting at `start`.
    public func narrowed(_ dimension: Int, from start: Int, length: Int) throws(TorchError) -> Tensor {
        try Tensor.make("narrow") { ct_narrow(handle, Int64(dimension), Int64(start), Int64(length), $0) }
    }

    /// Entry `index` of `dimension`, which is removed.
    public func selected(_ dimension: Int, _ index: Int) throws(TorchError) -> Tensor {
        try Tensor.make("select") { ct_select(handle, Int64(dimension), Int64(index), $0) }
    }

    /// Inserts a dimension of size 1 at `dimension`.
    public func unsqueezed(_ dimension: Int) throws(TorchError) -> Tensor {
        try Tensor.make("unsqueeze") { ct_unsqueeze(handle, Int64(dimension), $0) }
    }

    /// Repeats dimensions of size 1 to `shape`, without a copy.
    public func expanded(_ shape: [Int]) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try Tensor.make("expand") { ct_expand(handle, sizes, Int32(sizes.count), $0) }
    }

    /// The elements at offset + i strides[0] + j strides[1] + ..., within the storage.
    public func strided(_ shape: [Int], _ strides: [Int], offset: Int) throws(TorchError) -> Tensor {
        guard strides.count == shape.count else {
            throw TorchError(
                .value, "strided: \(strides.count) strides for \(shape.count) dimensions; expected one for each")
        }
        let sizes = shape.map(Int64.init)
        let steps = strides.map(Int64.init)
        return try Tensor.make("strided") {
            ct_strided(handle, sizes, steps, Int32(sizes.count), Int64(offset), $0)
        }
    }

    /// The elements in row-major order, copied only if necessary.
    public func contiguous() throws(TorchError) -> Tensor {
        try Tensor.make("contiguous") { ct_contiguous(handle, $0) }
    }

    /// A copy of the elements.
    public func cloned() throws(TorchError) -> Tensor {
        try Tensor.make("clone") { ct_clone(handle, $0) }
    }

    /// Concatenates tensors along `dimension`.
    public static func concatenated(_ parts: [Tensor], dimension: Int) throws(TorchError) -> Tensor {
        let handles = parts.map(\.handle)
        return try withExtendedLifetime(parts) { () throws(TorchError) in
            try make("concatenate") { ct_concatenate(handles, Int32(handles.count), Int64(dimension), $0) }
        }
    }

    /// The entries of `dimension` selected by `index` (int64, rank 1).
    public func rows(_ index: Tensor, dimension: Int = 0) throws(TorchError) -> Tensor {
        try Tensor.make("index select") { ct_index_select(handle, Int64(dimension), index.handle, $0) }
    }

    /// out[i, j] = self[i, index[i, j]] along `dimension`; `index` is int64 of the same rank.
    public func gathered(_ dimension: Int, _ index: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("gather") { ct_gather(handle, Int64(dimension), index.handle, $0) }
    }

    /// A copy in which the entries selected by `index` along `dimension` are `value`.
    public func scattered(_ dimension: Int, _ index: Tensor, value: Double) throws(TorchError) -> Tensor {
        try Tensor.make("scatter") { ct_scatter_value(handle, Int64(dimension), index.handle, value, $0) }
    }

    /// A copy in which the entries selected by `index` along `dimension` are those of `source`.
    public func scattered(_ dimension: Int, _ index: Tensor, source: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make("scatter") { ct_scatter(handle, Int64(dimension), index.handle, source.handle, $0) }
    }
}
