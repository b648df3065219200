import Crypto

/// The checksum in an ETag of the hub: the SHA-256 of a large file, or git's SHA-1 of a small one.
struct ContentHash {
    private enum State {
        case sha256(SHA256)
        case git(Insecure.SHA1)
    }

    private var state: State
    private let expected: String

    /// Nil if the ETag is not a checksum, or if it is git's, which includes the size, and the size is unknown.
    init?(etag: String, size: Int?) {
        guard etag.utf8.allSatisfy(SnapshotName.isHexadecimal) else { return nil }
        switch (etag.utf8.count, size) {
        case (64, _): state = .sha256(SHA256())
        case (40, let size?):
            var hash = Insecure.SHA1()
            hash.update(data: Array("blob \(size)\0".utf8))
            state = .git(hash)
        default: return nil
        }
        expected = etag
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .sha256(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha256(hash)
        case .git(var hash):
            hash.update(bufferPointer: bytes)
            state = .git(hash)
        }
    }

    /// Whether the bytes read so far have the checksum.
    var matches: Bool {
        let digest: [UInt8] =
            switch state {
            case .sha256(let hash): Array(hash.finalize())
            case .git(let hash): Array(hash.finalize())
            }
        let digits = Array("0123456789abcdef".utf8)
        return digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] } == Array(expected.utf8)
    }
}
