import Files

extension TrainingConfiguration {
    /// The optimizer, its learning rates and its clipping.
    public struct Optimizer: Sendable, Codable, Equatable {
        /// The optimizer of the weights.
        public enum Kind: String, Sendable, Codable, CaseIterable {
            /// AdamW for all weights.
            case adamw
            /// Muon for the matrices of the blocks, AdamW for everything else.
            case muon
        }

        /// `adamw`, or `muon` for the matrices of the blocks with AdamW for the rest.
        public var type = Kind.adamw
        /// AdamW: learning rate after the warm-up.
        public var lr = 3e-4
        /// AdamW: decay of the first moment.
        public var beta1 = 0.9
        /// AdamW: decay of the second moment.
        public var beta2 = 0.999
        /// AdamW: epsilon added to the denominator.
        public var eps = 1e-8
        /// Muon: learning rate after the warm-up.
        public var muonLr = 0.02
        /// Muon: decay of the momentum.
        public var muonMomentum = 0.95
        /// Weight decay of matrices, times the learning rate; norms, biases and embeddings do not decay.
        public var weightDecay = 0.0
        /// Warm-up steps, over which the rates increase from 0.
        public var warmup = 2500
        /// `constant`, `linear`, `cosine` or `wsd` (warm-up, stable, decay).
        public var schedule = LearningRateSchedule.constant
        /// Fraction of the run, at its end, over which the rates decay; null for the schedule's default: all after
        /// warm-up, for wsd the last fifth.
        public var decay: Double?
        /// Final fraction of the rates.
        public var floor = 0.0
        /// Maximum gradient norm; 0 disables clipping.
        public var gradClip = 1.0

        enum CodingKeys: String, CodingKey {
            case type, lr, beta1, beta2, eps, warmup, schedule, decay, floor
            case muonLr = "muon_lr", muonMomentum = "muon_momentum"
            case weightDecay = "weight_decay", gradClip = "grad_clip"
        }

        /// Encodes every key, including nulls, so that a resolved configuration lists them all.
        public func encode(to encoder: any Encoder) throws {
            var keys = encoder.container(keyedBy: CodingKeys.self)
            try keys.encode(type, forKey: .type)
            try keys.encode(lr, forKey: .lr)
            try keys.encode(beta1, forKey: .beta1)
            try keys.encode(beta2, forKey: .beta2)
            try keys.encode(eps, forKey: .eps)
            try keys.encode(muonLr, forKey: .muonLr)
            try keys.encode(muonMomentum, forKey: .muonMomentum)
            try keys.encode(weightDecay, forKey: .weightDecay)
            try keys.encode(warmup, forKey: .warmup)
            try keys.encode(schedule, forKey: .schedule)
            try keys.encode(decay, forKey: .decay)
            try keys.encode(floor, forKey: .floor)
            try keys.encode(gradClip, forKey: .gradClip)
        }

        /// Checks what the types cannot express.
        ///
        /// - Parameter steps: number of steps of the run.
        func validate(steps: Int) throws(SEDDError) {
            for (key, value) in [("optim.lr", lr), ("optim.muon_lr", muonLr)]
            where !(value > 0 && value < 1) { throw TrainingConfiguration.bad(key, value, "0 < value < 1") }
            // It is added to numbers in float32, to which less is 0.
            guard eps >= 1e-30, eps < 1 else { throw TrainingConfiguration.bad("optim.eps", eps, "1e-30 <= value < 1") }
            for (key, value) in [
                ("optim.beta1", beta1), ("optim.beta2", beta2), ("optim.muon_momentum", muonMomentum),
            ] where !(value >= 0 && value < 1) { throw TrainingConfiguration.bad(key, value, "0 <= value < 1") }
            for (key, value) in [("optim.floor", floor), ("optim.decay", decay ?? 1)]
            where !(value >= 0 && value <= 1) { throw TrainingConfiguration.bad(key, value, "0 <= value <= 1") }
            for (key, value) in [("optim.grad_clip", gradClip), ("optim.weight_decay", weightDecay)]
            where !(value >= 0 && value.isFinite) {
                throw TrainingConfiguration.bad(key, value, "0 (for none) or more")
            }
            guard warmup <= steps else {
                throw TrainingConfiguration.bad(
                    "optim.warmup", warmup,
                    "at most training.n_iters, \(steps): shorten the warm-up or lengthen the run")
            }
            guard schedule != .constant || decay == nil else {
                throw SEDDError(
                    .invalidData,
                    "optim.decay is \(decay ?? 0) with optim.schedule constant, which does not decay; choose linear, cosine or wsd, or leave optim.decay out"
                )
            }
        }
    }
}
