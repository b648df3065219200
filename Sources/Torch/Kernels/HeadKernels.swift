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

    /// Turns logits into `factors` times the gradient of the score entropy with respect to the log-scores, in place.
    ///
    /// - Parameters:
    ///   - logits: of the head, float32 [M, V].
    ///   - states: current states; int64 [M].
    ///   - clean: uncorrupted tokens; int64 [M].
    ///   - sigma: total noise; float64 [M] or [M, 1].
    ///   - shift: what turns logits into log-scores; float64 [M].
    ///   - factors: what each row counts; float64 [M].
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

    /// Draws next states from logits [M, V], in whose place it leaves the weights that it drew by.
    ///
    /// With scores s = e^(logit - shift) and S the sum of all but the own state's, the weights are
    /// r0 s_y + r1 S + r2, and r3 + r4 S for the own state; negative ones count as 0.
    ///
    /// - Parameters:
    ///   - states: current states; int64 [M].
    ///   - shift: what turns logits into log-scores; float64 [M].
    ///   - rules: r0 to r4 of each row; float64 [M, 5].
    ///   - uniforms: numbers in (0, 1); float64 [M].
    /// - Returns: states, -1 where the weights add up to no positive finite number, and what they add up to.
    public static func reverseStep(
        _ logits: Tensor, states: Tensor, shift: Tensor, rules: Tensor, uniforms: Tensor
    ) throws(TorchError) -> (drawn: [Int], totals: [Double]) {
        let (drawn, totals) = try reverseStepTensors(
            logits, states: states, shift: shift, rules: rules, uniforms: uniforms)
        return (try drawn.array(), try totals.array())
    }

    /// The same, left where it is computed: int64 and float64 [M].
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

    /// The square root of the sum of the squares of `x`, added up in double precision where there are kernels.
    public static func norm(_ x: Tensor) throws(TorchError) -> Double {
        var sum = 0.0
        try check(ct_sum_of_squares(x.handle, &sum), "norm")
        return sum.squareRoot()
    }
}
