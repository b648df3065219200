import Torch

/// What `sedd --version` prints.
enum Version {
    static let number = "0.1.0"
    static var text: String { "sedd \(number) (libtorch \(Runtime.version))" }
}
