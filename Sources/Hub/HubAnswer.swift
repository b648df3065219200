import Files
import Foundation
import NIOHTTP1

/// Status and headers of a response.
struct HubAnswer: Sendable {
    let status: Int
    private let headers: HTTPHeaders

    init(status: Int, headers: HTTPHeaders) {
        self.status = status
        self.headers = headers
    }

    subscript(name: String) -> String? { headers.first(name: name) }

    var isRedirect: Bool { (300..<400).contains(status) && self["Location"] != nil }
    var isSuccess: Bool { (200..<300).contains(status) }

    /// Whether the same request may succeed later.
    var isTransient: Bool { [408, 429, 500, 502, 503, 504].contains(status) }

    /// Seconds to wait before the next request, as requested by the hub.
    var retryAfter: Int? { self["Retry-After"].flatMap { Int($0) } }

    /// Whether the commit has no such file, although the repository exists.
    var isAbsentEntry: Bool { status == 404 && self["X-Error-Code"] == "EntryNotFound" }

    /// The reason for a refusal, and what to do about it.
    ///
    /// - Parameters:
    ///   - model: the requested model.
    ///   - hasToken: whether the request carried one.
    func refusal(of model: HubModel, at endpoint: String, hasToken: Bool) -> HubRefusal {
        let page = "\(endpoint)/\(model.repository)"
        let identify =
            hasToken
            ? "check that your token may read it (HF_TOKEN, or the token file of the hub's client)"
            : "if it is private, set HF_TOKEN to a token that may read it"
        switch (status, self["X-Error-Code"]) {
        case (_, "GatedRepo"):
            return HubRefusal(
                .denied, "\(model.repository): access has to be asked for",
                "accept its conditions at \(page), and set HF_TOKEN to a token of the account that did")
        case (_, "RevisionNotFound"):
            return HubRefusal(
                .absent, "\(model.repository): no revision '\(model.revision)'",
                "see \(page)/tree/main for those it has")
        case (_, "RepoNotFound"):
            return HubRefusal(
                .absent, "\(model.repository): no such repository at \(endpoint)", "check the name; \(identify)")
        case (401, _):
            return HubRefusal(
                .denied,
                hasToken
                    ? "\(model.repository): the hub does not accept the token, or there is no such repository"
                    : "\(model.repository): no such repository at \(endpoint), or a private one",
                "check the name; \(identify)")
        case (403, _):
            return HubRefusal(
                .denied, "\(model.repository): access refused\(message)", "see \(page); \(identify)")
        case (404, _):
            return HubRefusal(
                .absent, "\(model.repository): not found at \(endpoint)", "check the name and the revision")
        default:
            return HubRefusal(
                isTransient ? .unavailable : .denied, "\(endpoint) answered \(status)\(message)",
                isTransient ? "try again later" : "check HF_ENDPOINT and the name")
        }
    }

    private var message: String { self["X-Error-Message"].map { " (\($0.prefix(300)))" } ?? "" }
}

/// Why the hub refused a request.
struct HubRefusal: Error {
    enum Reason {
        /// The repository, the revision or the file does not exist.
        case absent
        /// Access is denied; whether it exists may not be revealed.
        case denied
        /// The network or the hub is unavailable.
        case unavailable
    }

    let reason: Reason
    let problem: String
    let remedy: String

    init(_ reason: Reason, _ problem: String, _ remedy: String) {
        self.reason = reason
        self.problem = problem
        self.remedy = remedy
    }

    var error: FileError { FileError(.missingInput, problem, remedy: remedy) }
}
