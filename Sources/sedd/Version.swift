import CStartup
import Torch

/// What `sedd --version` prints.
enum Version {
    /// The version of the program, the archive and the documentation; CHANGELOG.md describes each version.
    static let number = "0.4.0"
    /// The commit from which it was built; empty if unknown.
    static let commit = String(cString: startup_commit())

    static var text: String {
        "sedd \(number) (libtorch \(Runtime.version)\(commit.isEmpty ? "" : ", commit \(commit)"))"
    }
}
