import CDistributed
import CTorch

/// Collective operations: c10d's Gloo for tensors on the CPU, NCCL for tensors on CUDA devices (one device per process).
///
/// All processes must start the same operations in the same order.
public final class ProcessGroup: @unchecked Sendable {
    private let handle: CDGroup
    /// Number of this process, from 0.
    public let rank: Int
    /// Number of processes.
    public let size: Int

    /// Connects to all other processes.
    ///
    /// - Parameters:
    ///   - address: an address of this machine that the others can reach; if nil, c10d chooses one (GLOO_SOCKET_IFNAME).
    ///   - timeout: time limit for waiting for another process.
    /// - Throws: ``TorchError`` of kind `peer`; `engine` if this build has no c10d.
    public init(store: KeyStore, rank: Int, size: Int, address: String?, timeout: Duration) throws(TorchError) {
        var out = CDGroup()
        try check(
            cd_group_open(store.handle, Int32(rank), Int32(size), address, timeout.wholeMilliseconds, &out), "connect")
        handle = out
        self.rank = rank
        self.size = size
    }

    deinit { cd_group_close(handle) }

    /// A running operation. Its tensors must not be used until it is finished.
    public struct Operation: ~Copyable {
        private let work: CDWork
        private let tensors: [Tensor]
        private let group: ProcessGroup
        private let name: StaticString

        fileprivate init(
            _ group: ProcessGroup, _ tensors: [Tensor], _ name: StaticString,
            _ start: (UnsafeMutablePointer<CDWork>) -> CDStatus
        ) throws(TorchError) {
            var out = CDWork()
            try check(start(&out), "\(name)")
            work = out
            self.name = name
            self.tensors = tensors
            self.group = group
        }

        /// Waits for completion.
        ///
        /// - Throws: ``TorchError`` of kind `peer` if another process has exited or exceeded the timeout.
        public consuming func finish() throws(TorchError) {
            defer { withExtendedLifetime((tensors, group)) {} }
            try check(cd_work_finish(work), "\(name)")
        }
    }

    /// Replaces the elements of `tensor` with their sums over all processes; every process gets identical bytes.
    public func startSum(_ tensor: Tensor) throws(TorchError) -> Operation {
        try Operation(self, [tensor], "sum") { cd_group_sum(handle, tensor.handle.impl, $0) }
    }

    /// Replaces the elements of `tensor` with those of process `from`.
    public func startBroadcast(_ tensor: Tensor, from: Int) throws(TorchError) -> Operation {
        try Operation(self, [tensor], "broadcast") { cd_group_broadcast(handle, tensor.handle.impl, Int32(from), $0) }
    }

    /// Fills `whole` with the tensors `part` of all processes, by rank.
    public func startGather(_ part: Tensor, into whole: Tensor) throws(TorchError) -> Operation {
        try Operation(self, [part, whole], "gather") {
            cd_group_gather(handle, part.handle.impl, whole.handle.impl, $0)
        }
    }
}
