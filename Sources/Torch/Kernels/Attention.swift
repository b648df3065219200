import CTorch

extension Kernels {
    /// Bidirectional attention with rotary positions, on the joint array of queries, keys and values.
    public struct Attention: Sendable {
        let cosine, sine: Tensor
        let heads: Int
        /// Index into ``forms``; -1 selects the best.
        var form = -1

        /// - Parameters:
        ///   - cosine, sine: of the angle of each position and pair of channels; [L, width / 2].
        ///   - heads: number of heads, each with d / heads channels.
        public init(cosine: Tensor, sine: Tensor, heads: Int) {
            self.cosine = cosine
            self.sine = sine
            self.heads = heads
        }

        /// softmax(Q Kᵀ / sqrt(width)) V [R, d] with Q and K rotated by their positions, and the log-sum-exp of each
        /// row [B, heads, L], which the backward pass needs.
        ///
        /// - Parameter joint: queries, keys and values side by side, not rotated; [R, 3 d], R a multiple of L.
        public func forward(_ joint: Tensor) throws(TorchError) -> (out: Tensor, logSums: Tensor) {
            var out = CTTensor()
            var logSums = CTTensor()
            try check(
                ct_attention_forward(
                    joint.handle, cosine.handle, sine.handle, Int64(heads), Int32(form), &out, &logSums),
                "attention")
            return (Tensor(owning: out), Tensor(owning: logSums))
        }

        /// The gradient of `joint` given that of `out`.
        public func backward(
            _ outGradient: Tensor, joint: Tensor, out: Tensor, logSums: Tensor
        ) throws(TorchError) -> Tensor {
            try Tensor.make("attention, backward") {
                ct_attention_backward(
                    outGradient.handle, joint.handle, cosine.handle, sine.handle, Int64(heads), Int32(form), out.handle,
                    logSums.handle, $0)
            }
        }

        /// Activations that the backward pass needs.
        public struct Tape: Sendable {
            fileprivate enum Kept: Sendable {
                /// From the CPU kernel.
                case joint(Tensor, logSums: Tensor)
                /// From libtorch's attention on a CUDA device: the recorded queries, keys and values.
                case recorded([Tensor])
            }

            fileprivate let out: Tensor
            fileprivate let kept: Kept
        }

        /// The same on any device with kernels, with a tape if `recording`.
        ///
        /// On a CUDA device this is libtorch's attention, flash attention in bfloat16.
        public func mix(_ joint: Tensor, recording: Bool) throws(TorchError) -> (out: Tensor, tape: Tape?) {
            guard ct_takes_device_kernels(joint.handle) else {
                let (out, logSums) = try forward(joint)
                return (out, recording ? Tape(out: out, kept: .joint(joint, logSums: logSums)) : nil)
            }
            var out = CTTensor()
            var parts = [CTTensor](repeating: CTTensor(), count: 3)
            try check(
                ct_device_attention(
                    joint.handle, cosine.handle, sine.handle, Int64(heads), recording, &out, &parts), "attention")
            let recorded = Tensor(owning: out)
            guard recording else { return (recorded, nil) }
            let tape = Tape(out: recorded, kept: .recorded(parts.map { Tensor(owning: $0) }))
            return (try recorded.detached(), tape)
        }

        /// The gradient of the joint array given that of `out`; a tape can be used once.
        public func backward(_ outGradient: Tensor, _ tape: Tape) throws(TorchError) -> Tensor {
            switch tape.kept {
            case .joint(let joint, let logSums):
                return try backward(outGradient, joint: joint, out: tape.out, logSums: logSums)
            case .recorded(let parts):
                let handles = parts.map(\.handle)
                return try withExtendedLifetime(parts) { () throws(TorchError) in
                    try Tensor.make("attention, backward") {
                        ct_device_attention_backward(
                            outGradient.handle, tape.out.handle, handles, cosine.handle, sine.handle, $0)
                    }
                }
            }
        }

        /// Number of compiled variants that this processor can run: portable, AVX2, AVX-512.
        static var forms: Int { Int(ct_attention_forms()) }
    }
}
