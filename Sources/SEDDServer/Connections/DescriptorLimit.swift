import Files
import Foundation
package import SEDD

/// The limit on open file descriptors.
package enum DescriptorLimit {
    /// Descriptors that a server needs besides connections: weights, pipes, event loops.
    private static let others = 64
    /// Minimum number of useful connections.
    private static let fewest = 16

    /// The number of connections that fit, at most `wanted`, after raising the limit as far as needed and permitted.
    ///
    /// - Throws: ``SEDDError`` if too few fit to serve anybody.
    package static func connections(_ wanted: Int) throws(SEDDError) -> Int {
        // Evicted connections stay open a moment longer.
        let need = 2 * wanted + ServerLimits.defaultHealthConnections + others
        let open = raised(to: need)
        let fitting = min(wanted, (open - ServerLimits.defaultHealthConnections - others) / 2)
        guard fitting >= min(wanted, fewest) else {
            throw SEDDError(
                .usage,
                "this process may have \(open) files open; expected \(2 * fewest + ServerLimits.defaultHealthConnections + others) or more: raise the limit (ulimit -n)"
            )
        }
        return fitting
    }

    /// The limit, raised to `wanted` if it was lower and may be raised.
    private static func raised(to wanted: Int) -> Int {
        #if canImport(Darwin)
            let files = RLIMIT_NOFILE
        #else
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0 else { return wanted }
        if limit.rlim_cur < rlim_t(wanted) {
            var raised = limit
            raised.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
            if setrlimit(files, &raised) == 0 { limit = raised }
        }
        return Int(min(limit.rlim_cur, rlim_t(Int32.max)))
    }
}
