import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as a question that work asks at a good moment; the second one ends the process at once.
final class Interruption {
    private static let asked = Atomic<Bool>(false)
    private let sources: [any DispatchSourceSignal]

    init() {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: .global())
        }
        for source in sources {
            source.setEventHandler {
                guard Self.asked.exchange(true, ordering: .relaxed) else { return }
                FileHandle.standardError.write(Data("sedd: interrupted\n".utf8))
                // No farewell: other threads compute on, and would do so on what exit handlers have taken away.
                _exit(Failure.Code.interrupted.rawValue)
            }
            source.resume()
        }
    }

    deinit { for source in sources { source.cancel() } }

    var wasAsked: Bool { Self.asked.load(ordering: .relaxed) }
}
