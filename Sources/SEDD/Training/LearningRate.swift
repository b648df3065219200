import Foundation

/// The decay of learning rates towards the end of a run; see the table in `LearningRate`.
public enum LearningRateSchedule: String, Sendable, Codable, CaseIterable {
    /// No decay, a linear or a cosine decay after the warm-up, or a late decay (warm-up, stable, decay).
    case constant, linear, cosine, wsd
}

/// The learning rate as a function of the step: a linear warm-up, then a schedule.
///
/// Steps are counted from 1 to N. The first W (`optim.warmup`) increase linearly to the full rate. The last D decay
/// from it to the fraction f (`optim.floor`), which step N + 1 would reach, so that no step is wasted at rate 0; in
/// between the rate is full. With x = (step - (N - D)) / (D + 1), the factor is f + (1 - f) shape(x):
///
/// | schedule   | shape(x)               | D by default         |
/// |------------|------------------------|----------------------|
/// | `constant` | 1                      | 0                    |
/// | `linear`   | 1 - x                  | all after warm-up    |
/// | `cosine`   | (1 + cos(pi x)) / 2    | all after warm-up    |
/// | `wsd`      | 1 - sqrt(x)            | the last fifth       |
///
/// `wsd` (warm-up, stable, decay) follows Hägele et al. 2024. `optim.decay` gives D as a fraction of N; if the two
/// overlap, warm-up takes precedence.
struct LearningRate: Sendable {
    private let schedule: LearningRateSchedule
    private let warmup, steps, decaying: Int
    private let floor: Double

    init(_ optim: TrainingConfiguration.Optimizer, steps: Int) {
        schedule = optim.schedule
        warmup = optim.warmup
        self.steps = steps
        floor = optim.floor
        let share =
            switch optim.schedule {
            case .constant: 0.0
            case .linear, .cosine: optim.decay ?? 1
            case .wsd: optim.decay ?? 0.2
            }
        decaying = max(0, min(Int((share * Double(steps)).rounded()), steps - optim.warmup))
    }

    /// The factor on the rates at `step`, counted from 1.
    func factor(_ step: Int) -> Double {
        let warm = warmup > 0 ? min(Double(step) / Double(warmup), 1) : 1
        let behind = step - (steps - decaying)
        guard decaying > 0, behind > 0 else { return warm }
        let x = min(Double(behind) / Double(decaying + 1), 1)
        let shape =
            switch schedule {
            case .constant: 1.0
            case .linear: 1 - x
            case .cosine: (1 + cos(.pi * x)) / 2
            case .wsd: 1 - x.squareRoot()
            }
        return warm * (floor + (1 - floor) * shape)
    }
}
