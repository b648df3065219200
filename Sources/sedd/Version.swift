import CStartup
import Torch

/// What `sedd --version` prints.
enum Version {
    /// Of the program, the archive and the documentation; CHANGELOG.md says what each brought.
    static let number = "0.4.0"
    /// The commit that it was built from; empty where the build did not say.
    static let commit = String(cString: startup_commit())

    static var text: String {
        "sedd \(number) (libtorch \(Runtime.version)\(commit.isEmpty ? "" : ", commit \(commit)"))"
    }
}
