import CDistributed

/// A key-value store that all processes of a job share: c10d's TCPStore.
///
/// Operations may be called from several threads; they are executed one after the other.
public final class KeyStore: @unchecked Sendable {
    let handle: CDStore

    /// Whether this build has c10d; without it, every process works alone.
    public static var isAvailable: Bool { cd_available() }

    /// Connects to the store at `host`, which runs in this process if `serves` is true.
    ///
    /// - Parameters:
    ///   - prefix: prepended to every key, so that a restarted job does not see keys of an earlier start.
    ///   - timeout: time limit for a connection.
    /// - Throws: ``TorchError`` of kind `peer` if the store does not answer; `engine` if this build has no c10d.
    public init(host: String, port: UInt16, serves: Bool, prefix: String, timeout: Duration) throws(TorchError) {
        var out = CDStore()
        try check(cd_store_open(host, port, serves, prefix, timeout.wholeMilliseconds, &out), "store")
        handle = out
    }

    deinit { cd_store_close(handle) }

    /// Sets or replaces a value.
    public func set(_ key: String, _ value: [UInt8]) throws(TorchError) {
        try check(value.withUnsafeBytes { cd_store_set(handle, key, $0.baseAddress, $0.count) }, "set \(key)")
    }

    /// Waits until a process has set `key`, and returns its value.
    public func value(of key: String, within timeout: Duration) throws(TorchError) -> [UInt8] {
        var (bytes, count) = (UnsafeMutableRawPointer?.none, 0)
        try check(cd_store_get(handle, key, timeout.wholeMilliseconds, &bytes, &count), "wait for \(key)")
        defer { cd_free(bytes) }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Adds to the integer at `key`, initially 0.
    ///
    /// - Returns: the sum.
    @discardableResult
    public func add(_ amount: Int, to key: String) throws(TorchError) -> Int {
        var sum: Int64 = 0
        try check(cd_store_add(handle, key, Int64(amount), &sum), "add to \(key)")
        return Int(sum)
    }

    /// Whether `key` has been set.
    public func has(_ key: String) throws(TorchError) -> Bool {
        var found = false
        try check(cd_store_has(handle, key, &found), "look for \(key)")
        return found
    }
}

/// Turns a status of c10d into a typed error that names the operation.
func check(_ status: CDStatus, _ operation: @autoclosure () -> String) throws(TorchError) {
    guard status != CD_OK else { return }
    let kind: TorchError.Kind =
        switch status {
        case CD_PEER: .peer
        case CD_BAD_VALUE: .value
        default: .engine
        }
    var line = String(cString: cd_last_error()).split(separator: "\n", maxSplits: 1).first ?? "no message"
    // Gloo's messages begin with the location in its source: [FILE:LINE].
    if line.hasPrefix("["), let end = line.firstRange(of: "] ") { line = line[end.upperBound...] }
    throw TorchError(kind, "\(operation()): \(line)")
}

extension Duration {
    /// At least 1, the minimum that c10d accepts.
    var wholeMilliseconds: Int64 { max(1, Int64(self / .milliseconds(1))) }
}
