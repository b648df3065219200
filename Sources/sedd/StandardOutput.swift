import Foundation
import SEDD

/// Where results go.
enum StandardOutput {
    /// - Throws: ``SEDDError`` of kind `cannotWrite`, on a full disk for instance.
    static func write(_ bytes: [UInt8]) throws(SEDDError) {
        do { try FileHandle.standardOutput.write(contentsOf: bytes) } catch {
            throw SEDDError(.cannotWrite, "standard output: cannot write; free space or send it elsewhere")
        }
    }
}
