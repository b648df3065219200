import CTorch

extension Kernels {
    /// Dropout of one branch during training: a function of (key, step, sequence, position, channel); the probability
    /// is rounded to a multiple of 1/65536.
    public struct Dropout: Sendable {
        /// Dropout probability; 0 for none.
        public var share: Double
        /// Key derived from seed, block and branch.
        public var key: UInt64
        /// The training step.
        public var step: UInt64
        /// Index of each sequence of the batch within its step.
        public var sequences: [UInt32]

        /// Creates a dropout setting.
        public init(share: Double, key: UInt64, step: UInt64, sequences: [UInt32]) {
            self.share = share
            self.key = key
            self.step = step
            self.sequences = sequences
        }
    }

    /// Factors 0 or 1 / (1 - share); float32 [sequences, length, width].
    public static func dropoutMask(_ dropout: Dropout, length: Int, width: Int) throws(TorchError) -> Tensor {
        let mask = try Tensor.empty([dropout.sequences.count, length, width])
        try check(dropout.withHandle { ct_dropout_mask(mask.handle, $0) }, "dropout mask")
        return mask
    }
}

extension Optional where Wrapped == Kernels.Dropout {
    func withHandle(_ body: (CTDropout) -> CTStatus) -> CTStatus {
        guard let self else { return body(CTDropout(key: 0, step: 0, sequences: nil, count: 0, share: 0)) }
        return self.withHandle(body)
    }
}

extension Kernels.Dropout {
    func withHandle(_ body: (CTDropout) -> CTStatus) -> CTStatus {
        sequences.withUnsafeBufferPointer {
            body(CTDropout(key: key, step: step, sequences: $0.baseAddress, count: Int64($0.count), share: share))
        }
    }
}
