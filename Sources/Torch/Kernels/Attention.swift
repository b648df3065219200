import CTorch

extension Kernels {
    /// Bidirectional attention with rotary positions, from and into the joint array of queries, keys and values.
    public struct Attention: Sendable {
        let cosine, sine: Tensor
        let heads: Int
        /// Which of ``forms``; -1 is the best.
        var form = -1

        /// - Parameters:
        ///   - cosine, sine: of the angle of each position and pair of channels, [L, width / 2].
        ///   - heads: how many; each has d / heads channels.
        public init(cosine: Tensor, sine: Tensor, heads: Int) {
            self.cosine = cosine
            self.sine = sine
            self.heads = heads
        }

        /// softmax(Q Kᵀ / sqrt(width)) V [R, d] with Q and K turned by their positions, and the logarithms of the sums of
        /// its exponentials [B, heads, L], which the backward pass needs.
        ///
        /// - Parameter joint: queries, keys and values side by side, not turned; [R, 3 d], R a multiple of L.
        public func forward(_ joint: Tensor) throws(TorchError) -> (out: Tensor, logSums: Tensor) {
            var out = CTTensor()
            var logSums = CTTensor()
            try check(
                ct_attention_forward(
                    joint.handle, cosine.handle, sine.handle, Int64(heads), Int32(form), &out, &logSums),
                "attention")
            return (Tensor(owning: out), Tensor(owning: logSums))
        }

        /// The gradient of `joint` from that of `out`.
        public func backward(
            _ outGradient: Tensor, joint: Tensor, out: Tensor, logSums: Tensor
        ) throws(TorchError) -> Tensor {
            try Tensor.make("attention, backward") {
                ct_attention_backward(
                    outGradient.handle, joint.handle, cosine.handle, sine.handle, Int64(heads), Int32(form), out.handle,
                    logSums.handle, $0)
            }
        }

        /// How many compiled forms of it this processor can run: the portable one, AVX2, AVX-512.
        static var forms: Int { Int(ct_attention_forms()) }
    }
}
