import CTorch

extension Kernels {
    /// The chains whose score entropy is fused with the head.
    public enum Chain: Sendable {
        /// Every token moves to the last state and stays there.
        case absorbing
        /// Every state moves to every state.
        case uniform

        var handle: CTChain { self == .absorbing ? CT_ABSORBING : CT_UNIFORM }
    }

    /// Replaces logits with `factors` times the gradient of the score entropy with respect to the log-scores, in place.
    ///
    /// - Parameters:
    ///   - logits: output of the head; float32 [M, V].
    ///   - states: current states; int64 [M].
    ///   - clean: uncorrupted tokens; int64 [M].
    ///   - sigma: total noise; float64 [M] or [M, 1].
    ///   - shift: subtracted from the logits to give log-scores; float64 [M].
    ///   - factors: weight of each row; float64 [M].
    /// - Returns: nats without the rate and without `factors`; float64 [M].
    public static func scoreEntropy(
        _ logits: Tensor, states: Tensor, clean: Tensor, sigma: Tensor, shift: Tensor, factors: Tensor,
        chain: Chain
    ) throws(TorchError) -> Tensor {
        try Tensor.make("score entropy") {
            ct_score_entropy(
                logits.handle, states.handle, clean.handle, sigma.handle, shift.handle, factors.handle, chain.handle,
                $0)
        }
    }

    /// Draws next states from logits [M, V], whose contents are unspecified afterwards.
    ///
    /// With scores s = e^(logit - shift) and S their sum without the current state's, the weights are r0 s_y + r1 S +
    /// r2, and r3 + r4 S for the current state; negative weights count as 0.
    ///
    /// - Parameters:
    ///   - states: current states; int64 [M].
    ///   - shift: subtracted from the logits to give log-scores; float64 [M].
    ///   - rules: r0 to r4 of each row; float64 [M, 5].
    ///   - uniforms: uniform numbers in (0, 1); float64 [M].
    /// - Returns: states, or -1 if the weights do not have a positive finite sum, and that sum.
    public static func reverseStep(
        _ logits: Tensor, states: Tensor, shift: Tensor, rules: Tensor, uniforms: Tensor
    ) throws(TorchError) -> (drawn: [Int], totals: [Double]) {
        let (drawn, totals) = try reverseStepTensors(
            logits, states: states, shift: shift, rules: rules, uniforms: uniforms)
        return (try drawn.array(), try totals.array())
    }

    /// The same as tensors on the device: int64 and float64 [M].
    public static func reverseStepTensors(
        _ logits: Tensor, states: Tensor, shift: Tensor, rules: Tensor, uniforms: Tensor
    ) throws(TorchError) -> (drawn: Tensor, totals: Tensor) {
        var drawn = CTTensor()
        var totals = CTTensor()
        try check(
            ct_reverse_step(
                logits.handle, states.handle, shift.handle, rules.handle, uniforms.handle, &drawn, &totals),
            "reverse step")
        return (Tensor(owning: drawn), Tensor(owning: totals))
    }

    /// Adds `parts` to `sum` in one pass, each element in the order of the parts.
    ///
    /// - Parameters:
    ///   - parts: contiguous float32 tensors on the CPU.
    ///   - sum: another of the same size.
    public static func add(_ parts: [Tensor], to sum: Tensor) throws(TorchError) {
        guard !parts.isEmpty else { return }
        try check(ct_add_parts(sum.handle, parts.map(\.handle), Int32(parts.count)), "add parts")
        withExtendedLifetime(parts) {}
    }

    /// The Euclidean norm of `x`, accumulated in float64 on devices with kernels.
    public static func norm(_ x: Tensor) throws(TorchError) -> Double {
        var sum = 0.0
        try check(ct_sum_of_squares(x.handle, &sum), "norm")
        return sum.squareRoot()
    }
}
