import Foundation
import SEDD

/// Shows the progress of training.
struct TrainingReport {
    let console: Console
    /// Smoothed loss for the bar: the loss of a single step, as in metrics.jsonl, is noisy. Restarts on resume.
    private var loss: Double?
    private var bound: Double?
    private var seconds: Double?

    init(console: Console) { self.console = console }

    mutating func show(_ event: Trainer.Event) {
        switch event {
        case .resumed(let step, let checkpoint): console.line("resumed after step \(step) from \(checkpoint.path)")
        case .damaged(let checkpoint, let reason):
            console.line("DAMAGED: \(checkpoint.path) (\(reason)); trying the checkpoint before it")
        case .finished(let step):
            console.line("the run has finished after \(step) steps; raise training.n_iters with --set to continue")
        case .step(let metrics): show(metrics)
        case .validation(let step, let estimate):
            console.line(
                "step \(step): held-out \(number(estimate.mean))\(estimate.standardError.map { " ± \(number($0))" } ?? "") nats/token"
            )
        case .sample(let step, let text): console.line("step \(step): sample\n\(text)")
        case .checkpoint(let step, let url): console.line("step \(step): saved \(url.path)")
        }
    }

    private mutating func show(_ metrics: Trainer.StepMetrics) {
        loss = loss.map { 0.98 * $0 + 0.02 * metrics.loss } ?? metrics.loss
        if let estimate = metrics.bound { bound = bound.map { 0.98 * $0 + 0.02 * estimate } ?? estimate }
        let perStep = seconds.map { 0.95 * $0 + 0.05 * metrics.seconds } ?? metrics.seconds
        seconds = perStep
        let left = Double(metrics.steps - metrics.step) * perStep
        console.progress(
            Double(metrics.step) / Double(metrics.steps),
            "step \(metrics.step)/\(metrics.steps)  smoothed loss \(number(loss ?? metrics.loss))\(bound.map { ", bound \(number($0))" } ?? "")  \(Int(Double(metrics.tokens) / perStep)) tokens/s  \(Console.duration(left)) left"
        )
    }

    private func number(_ value: Double) -> String { value.formatted(.number.precision(.fractionLength(3))) }
}
