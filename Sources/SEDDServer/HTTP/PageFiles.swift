import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The page's files, embedded in the binary.
enum PageFiles {
    /// Content security policy: nothing is loaded from elsewhere, no inline script runs, and no other page may frame
    /// this one.
    private static let headers: HTTPFields = [
        .contentSecurityPolicy:
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        .xContentTypeOptions: "nosniff",
        .init("Referrer-Policy")!: "no-referrer",
        .init("Cross-Origin-Opener-Policy")!: "same-origin",
        .init("Cross-Origin-Resource-Policy")!: "same-origin",
        .init("Permissions-Policy")!: "camera=(), microphone=(), geolocation=()",
        .init("X-Frame-Options")!: "DENY",
        // Files change only with the binary; revalidation on each request lets a new binary serve its own.
        .cacheControl: "no-cache",
    ]

    private static let types = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    ]

    private static let files: [String: [UInt8]] = [
        "about.js": PackageResources.about_js,
        "address.js": PackageResources.address_js,
        "clipboard.js": PackageResources.clipboard_js,
        "comparison.js": PackageResources.comparison_js,
        "demonstration.js": PackageResources.demonstration_js,
        "editor.js": PackageResources.editor_js,
        "events.js": PackageResources.events_js,
        "examples.js": PackageResources.examples_js,
        "fields.js": PackageResources.fields_js,
        "flow.js": PackageResources.flow_js,
        "handles.js": PackageResources.handles_js,
        "holes.js": PackageResources.holes_js,
        "holetools.js": PackageResources.holetools_js,
        "index.html": PackageResources.index_html,
        "inspector.js": PackageResources.inspector_js,
        "lines.js": PackageResources.lines_js,
        "narrow.css": PackageResources.narrow_css,
        "notices.js": PackageResources.notices_js,
        "page.css": PackageResources.page_css,
        "page.js": PackageResources.page_js,
        "picker.js": PackageResources.picker_js,
        "pieces.js": PackageResources.pieces_js,
        "player.js": PackageResources.player_js,
        "recording.js": PackageResources.recording_js,
        "runs.js": PackageResources.runs_js,
        "service.js": PackageResources.service_js,
        "settings.js": PackageResources.settings_js,
        "spans.js": PackageResources.spans_js,
        "stage.js": PackageResources.stage_js,
        "text.css": PackageResources.text_css,
        "textview.js": PackageResources.textview_js,
        "trajectory.js": PackageResources.trajectory_js,
        "transport.js": PackageResources.transport_js,
    ]

    /// The file called `name`; nil if there is none.
    static func response(_ name: String) -> Response? {
        guard let bytes = files[name], let type = types[URL(filePath: name).pathExtension] else { return nil }
        var headers = headers
        headers[.contentType] = type
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
