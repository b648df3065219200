import Files
import Foundation
package import SEDD

/// How many files and connections this process may have open at once.
package enum DescriptorLimit {
    /// Files that a server has open beside its connections: weights, pipes, event loops.
    private static let others = 64
    /// Connections with which a server is of use.
    private static let fewest = 16

    /// The connections that fit, `wanted` at most, after the limit has been raised as far as it must and may be.
    ///
    /// - Throws: ``SEDDError`` where too few fit to serve anybody.
    package static func connections(_ wanted: Int) throws(SEDDError) -> Int {
        // Those that are asked to make room stay open a moment longer.
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

    /// The limit, raised to `wanted` where it was lower and may be raised.
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
