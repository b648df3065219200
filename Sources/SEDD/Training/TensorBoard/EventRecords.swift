internal import Foundation
internal import SwiftProtobuf

/// The four kinds of record that a run writes, complete except for their wall time.
extension Tensorboard_Event {
    /// The first record of every file. Readers derive from it how restarts are marked.
    static func version() -> Self {
        var event = Self()
        event.fileVersion = "brain.Event:2"
        return event
    }

    /// The restart mark of a run that resumes after `step`.
    ///
    /// Readers discard the events of earlier files from the mark's step on. The events of `step` itself remain valid,
    /// so the mark has the step after it.
    static func resumption(after step: Int) -> Self {
        var event = Self()
        event.step = Int64(step) + 1
        event.sessionLog.status = .start
        return event
    }

    /// One point of a curve.
    static func scalar(_ tag: String, _ number: Float, step: Int) -> Self {
        var value = Tensorboard_Summary.Value()
        value.tag = tag
        value.simpleValue = number
        return Self(value, step: step)
    }

    /// One text, for the dashboard of the text plugin: a string tensor without dimensions, which is shown as text; one
    /// with dimensions would be shown as a table.
    static func text(_ tag: String, _ text: String, step: Int) -> Self {
        var value = Tensorboard_Summary.Value()
        value.tag = tag
        value.metadata.pluginData.pluginName = "text"
        value.tensor.dtype = .dtString
        value.tensor.tensorShape = Tensorboard_TensorShapeProto()
        value.tensor.stringVal = [Data(text.utf8)]
        return Self(value, step: step)
    }

    private init(_ value: Tensorboard_Summary.Value, step: Int) {
        self.init()
        self.step = Int64(step)
        summary.value = [value]
    }
}
