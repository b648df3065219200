import Files

extension TrainingConfiguration {
    /// Factor on the loss of a sequence, besides the correction for the density of its time.
    public enum LossWeight: String, Sendable, Codable, CaseIterable {
        /// 1: the likelihood bound.
        case bound
        /// 2 t.
        case time
    }
}

extension TrainingConfiguration.Training {
    /// Factor on the gradient of a sequence.
    ///
    /// - Parameters:
    ///   - time: the sequence's time.
    ///   - density: density at that time, relative to uniform times.
    func weight(time: Double, density: Double) -> Double {
        let objective = objectiveWeight(time: time)
        return switch timeDensity.correction {
        case .none: objective
        case .root: objective / density.squareRoot()
        case .full: objective / density
        }
    }

    /// Factor on the loss at a time, whatever the density of times.
    func objectiveWeight(time: Double) -> Double {
        switch lossWeight {
        case .bound: 1
        case .time: 2 * time
        }
    }

    /// Number of sequences that must be in one process: 2 for pairs of complementary masks, otherwise 1.
    var sequencesTogether: Int { complementary ? 2 : 1 }

    /// Checks that every process has a sequence.
    ///
    /// - Throws: ``SEDDError`` of kind `usage`.
    func requireSequences(for team: Team) throws(SEDDError) {
        guard team.size <= batchSize / sequencesTogether else {
            throw SEDDError(
                .usage,
                "\(team.size) processes share the training.batch_size of \(batchSize) sequences\(complementary ? ", which come in pairs" : ""); start fewer, or raise it"
            )
        }
    }

    /// Whether losses are those of the likelihood bound, so that their mean estimates it.
    var isBound: Bool { lossWeight == .bound && timeDensity.type == .uniform }

    /// Decay of the moving average, once warm.
    var averageDecay: Double {
        guard let emaHorizon else { return ema }
        let steps = emaHorizon < 1 ? emaHorizon * Double(nIters) : emaHorizon
        return 1 - 1 / max(1, steps)
    }

    func validateObjective() throws(SEDDError) {
        guard smallestTime > 0, smallestTime < 1 else {
            throw TrainingConfiguration.bad("training.smallest_time", smallestTime, "0 < value < 1")
        }
        if let emaHorizon, !(emaHorizon > 0 && emaHorizon.isFinite) {
            throw TrainingConfiguration.bad(
                "training.ema_horizon", emaHorizon, "a number of steps, or below 1 a share of the run")
        }
        guard !complementary || (batchSize / accum).isMultiple(of: 2) else {
            throw TrainingConfiguration.bad(
                "training.batch_size", batchSize,
                "an even number for each of training.accum, \(accum), parts: complementary masks come in pairs")
        }
        try timeDensity.validate("training.time_density")
        guard let table = TimeTable(timeDensity, smallestTime: smallestTime) else { return }
        guard table.relative.allSatisfy(\.isFinite) else {
            throw SEDDError(
                .invalidData,
                "training.time_density: no time between training.smallest_time, \(smallestTime), and 1 has a density; choose another mean or a greater width"
            )
        }
    }

    /// Encodes every key, including nulls, so that a resolved configuration lists them all.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(batchSize, forKey: .batchSize)
        try keys.encode(accum, forKey: .accum)
        try keys.encode(nIters, forKey: .nIters)
        try keys.encode(ema, forKey: .ema)
        try keys.encode(emaHorizon, forKey: .emaHorizon)
        try keys.encode(seed, forKey: .seed)
        try keys.encode(smallestTime, forKey: .smallestTime)
        try keys.encode(timeDensity, forKey: .timeDensity)
        try keys.encode(lossWeight, forKey: .lossWeight)
        try keys.encode(complementary, forKey: .complementary)
        try keys.encode(from, forKey: .from)
        try keys.encode(freeze, forKey: .freeze)
        try keys.encode(logFreq, forKey: .logFreq)
        try keys.encode(evalFreq, forKey: .evalFreq)
        try keys.encode(evalBlocks, forKey: .evalBlocks)
        try keys.encode(evalTimes, forKey: .evalTimes)
        try keys.encode(snapshotFreq, forKey: .snapshotFreq)
        try keys.encode(keep, forKey: .keep)
        try keys.encode(sampleFreq, forKey: .sampleFreq)
    }
}
