import Files

/// A trajectory and what it asks.
struct Asked: Sendable {
    let trajectory: Trajectory
    let question: Question

    var states: [Int] { trajectory.states }
    /// The states of the question's positions.
    var own: [Int] { question.positions.map { trajectory.states[$0] } }
}

/// Answers the questions of many trajectories in shared passes of the network; the only place with tensors.
protocol Evaluator: Sendable {
    /// An answer for each question; what a trajectory gets is a function of the trajectory and its question alone.
    ///
    /// - Parameter asked: trajectories of one length.
    /// - Throws: ``SEDDError`` of kind `diverged` where scores are not finite.
    func answers(_ asked: [Asked]) throws -> [Answer]
}

extension Evaluator {
    /// Takes every unfinished trajectory one question further; all have the same length.
    ///
    /// - Throws: ``SEDDError`` of kind `usage` where lengths differ, `diverged` where scores are not finite.
    func advance(_ trajectories: inout [Trajectory]) throws {
        let running = trajectories.indices.filter { !trajectories[$0].isFinished }
        guard let length = running.first.map({ trajectories[$0].states.count }) else { return }
        guard running.allSatisfy({ trajectories[$0].states.count == length }) else {
            throw SEDDError(.usage, "sequences of different lengths were given to one step; expected one length")
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
    /// Applies an answer, and counts it.
    mutating func advance(_ question: Question, _ answer: Answer) {
        changes = []
        if question.needsEvaluation { networkEvaluations += 1 }
        method.apply(answer, to: question, &self)
        done += 1
        time = isFinished ? 0 : question.timeAfter
    }
}
