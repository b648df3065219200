import Files

/// A trajectory and its question.
struct Asked: Sendable {
    let trajectory: Trajectory
    let question: Question

    var states: [Int] { trajectory.states }
    /// The states at the question's positions.
    var own: [Int] { question.positions.map { trajectory.states[$0] } }
}

/// Answers the questions of many trajectories in shared network passes, so that the methods need no tensors.
protocol Evaluator: Sendable {
    /// Answers each question; the answer depends only on the trajectory and its question, not on the batch.
    ///
    /// - Parameter asked: trajectories of equal length.
    /// - Throws: ``SEDDError`` of kind `diverged` if scores are not finite.
    func answers(_ asked: [Asked]) throws -> [Answer]
}

/// Advancing trajectories.
extension Evaluator {
    /// Advances every unfinished trajectory by one question; all have the same length.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` if lengths differ, `diverged` if scores are not finite.
    func advance(_ trajectories: inout [Trajectory]) throws {
        let running = trajectories.indices.filter { !trajectories[$0].isFinished }
        guard let length = running.first.map({ trajectories[$0].states.count }) else { return }
        guard running.allSatisfy({ trajectories[$0].states.count == length }) else {
            throw SEDDError(.usage, "the sequences of a batch have different lengths; expected equal lengths")
        }
        var asked: [(index: Int, question: Question)] = []
        for index in running {
            if let question = trajectories[index].method.ask(trajectories[index]) {
                asked.append((index, question))
            } else {
                trajectories[index].finish()
            }
        }
        let evaluated = asked.filter(\.question.needsEvaluation)
        let found = try answers(evaluated.map { Asked(trajectory: trajectories[$0.index], question: $0.question) })
        var answers = found.makeIterator()
        for (index, question) in asked {
            let answer = question.needsEvaluation ? answers.next() ?? Answer() : Answer()
            trajectories[index].advance(question, answer)
        }
    }
}

extension Trajectory {
    /// Applies an answer and counts its cost.
    mutating func advance(_ question: Question, _ answer: Answer) {
        changes = []
        if question.needsEvaluation, !answer.isReused { networkEvaluations += 1 }
        reusable = answer.reusable
        method.apply(answer, to: question, &self)
        done += 1
        time = isFinished ? 0 : question.timeAfter
    }
}
