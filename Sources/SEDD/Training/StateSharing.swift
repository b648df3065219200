import Files
import Torch

/// Broadcasts the training state of process 0, the only one that reads checkpoints.
struct StateSharing {
    let team: Team

    /// The part of the state that is not a tensor.
    private struct Counts: Codable {
        let step: Int
        let best: TrainingState.Best?
        let times: TimeProfile
    }

    func callAsFunction(_ state: inout TrainingState) throws {
        guard team.isJoined else { return }
        let what = "broadcast of the weights"
        let counts = try team.broadcast(Counts(step: state.step, best: state.best, times: state.times), what)
        (state.step, state.best, state.times) = (counts.step, counts.best, counts.times)
        for weights in [state.weights, state.average] + state.slots.map(\.weights) {
            try team.broadcast(weights.flat, what)
            try weights.refreshBFloat16Copy()
        }
    }

    /// Checks that all processes have identical weights, which holds if all processors round alike.
    ///
    /// - Throws: ``SEDDError`` of kind `engine` that names the ranks whose weights differ.
    func requireSame(_ state: TrainingState) throws {
        guard team.isJoined else { return }
        try team.requireSame(
            [("the fingerprint of the weights", try state.weights.fingerprint())], "comparison of weights",
            kind: .engine)
    }
}
