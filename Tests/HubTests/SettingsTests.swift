import Files
import Foundation
import Testing

@testable import Hub

/// The variables of `huggingface_hub`, and names of models.
@Suite struct SettingsTests {
    @Test(arguments: [
        ("nothing but a home", ["HOME": "/h"], "/h/.cache/huggingface/hub"),
        ("XDG_CACHE_HOME", ["HOME": "/h", "XDG_CACHE_HOME": "/x"], "/x/huggingface/hub"),
        ("HF_HOME", ["HOME": "/h", "XDG_CACHE_HOME": "/x", "HF_HOME": "/hf"], "/hf/hub"),
        ("HF_HUB_CACHE", ["HOME": "/h", "HF_HOME": "/hf", "HF_HUB_CACHE": "/c"], "/c"),
        ("its former name", ["HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old"], "/old"),
        ("a home within the path", ["HOME": "/h", "HF_HOME": "~/hf"], "/h/hf/hub"),
        ("a variable within the path", ["HOME": "/h", "D": "/data", "HF_HOME": "$D/${D}"], "/data//data/hub"),
        ("set and empty", ["HOME": "/h", "HF_HOME": ""], "/h/.cache/huggingface/hub"),
    ])
    func cache(name: String, environment: [String: String], path: String) throws {
        let found = try HubSettings(environment: environment).cache.path
        #expect(found.replacing("//", with: "/") == path.replacing("//", with: "/"), "\(name)")
    }

    @Test(arguments: [
        ([:], false), (["HF_HUB_OFFLINE": "1"], true), (["HF_HUB_OFFLINE": "yes"], true),
        (["HF_HUB_OFFLINE": "0"], false),
        (["TRANSFORMERS_OFFLINE": "TRUE"], true), (["HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"], false),
    ])
    func offline(environment: [String: String], expected: Bool) throws {
        #expect(try HubSettings(environment: environment).isOffline == expected, "\(environment)")
    }

    @Test func token() throws {
        let folder = try TemporaryFolder()
        try Data("from the file\n".replacing(" ", with: "-").utf8).write(to: folder.path("token"))
        try Data("other\n".utf8).write(to: folder.path("other"))
        let home = ["HF_HOME": folder.url.path]
        func token(_ more: [String: String]) throws -> String? {
            try HubSettings(environment: home.merging(more) { $1 }).token
        }
        #expect(try token([:]) == "from-the-file")
        #expect(try token(["HF_TOKEN": " named "]) == "named")
        #expect(try token(["HUGGING_FACE_HUB_TOKEN": "former"]) == "former")
        #expect(try token(["HF_TOKEN_PATH": folder.path("other").path]) == "other")
        #expect(try token(["HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]) == nil)
        #expect(try HubSettings(environment: ["HF_HOME": "/nowhere"]).token == nil)
        #expect(throws: FileError.self) { try token(["HF_TOKEN": "a\r\nHost: b"]) }
    }

    @Test(arguments: ["", "huggingface.co", "ftp://hub", "https://", "https://user@hub"])
    func endpoint(text: String) {
        if text.isEmpty {
            #expect((try? HubSettings(environment: ["HF_ENDPOINT": text]))?.endpoint == "https://huggingface.co")
        } else {
            #expect(throws: FileError.self) { try HubSettings(environment: ["HF_ENDPOINT": text]) }
        }
    }

    @Test func endpointWithoutItsSlash() throws {
        #expect(try HubSettings(environment: ["HF_ENDPOINT": "https://mirror/hf//"]).endpoint == "https://mirror/hf")
    }

    @Test(arguments: [
        ("org/name", "org/name", "main"), ("org/name@v1.0", "org/name", "v1.0"),
        ("kuleshov-group/mdlm-owt@refs/pr/1", "kuleshov-group/mdlm-owt", "refs/pr/1"),
        ("o/n_1.x@release@2", "o/n_1.x", "release@2"),
    ])
    func names(text: String, repository: String, revision: String) throws {
        let model = try HubModel(text)
        #expect(model.repository == repository)
        #expect(model.revision == revision)
    }

    @Test(arguments: [
        "", "name", "/name", "org/", "a/b/c", "../x", "org/..", "./x", "org/.hidden", "-o/n", "o/n-", "o--x/n",
        "o/a..b", "o/n.git",
        "o/n@", "o/n@..", "o/n@a/../b", "o/n@/a", "o/n@a//b", "o/n@a\\b", "o/n@a\nb", "ö/n", "o/n m", "o/n?x",
        "o/" + String(repeating: "n", count: 95),
    ])
    func invalidNames(text: String) {
        #expect(!HubModel.isName(text), "\(text)")
        #expect(throws: FileError.self) { try HubModel(text) }
    }

    @Test(
        arguments: [
            ("\"abc\"", "abc"), ("W/\"abc\"", "abc"), ("abc", "abc"), ("\"a-b_c.d+e\"", "a-b_c.d+e"), (nil, nil),
            ("", nil),
            ("\"../../x\"", nil), ("\"..\"", nil), ("\"a/b\"", nil), ("\"a b\"", nil), ("\"ä\"", nil),
        ] as [(String?, String?)])
    func etags(header: String?, name: String?) { #expect(RemoteFile.normalized(header) == name) }

    @Test func proxies() throws {
        let settings = ProxySettings(environment: [
            "HTTPS_PROXY": "http://user:secret@proxy:3128", "no_proxy": "localhost, .internal,10.0.0.1",
        ])
        func proxy(_ url: String) throws -> ProxySettings.Proxy? { settings.proxy(for: try #require(URL(string: url))) }
        #expect(
            try proxy("https://huggingface.co/a")
                == ProxySettings.Proxy(host: "proxy", port: 3128, user: "user", password: "secret"))
        for url in [
            "http://huggingface.co", "https://localhost:1/", "https://hub.internal", "https://internal",
            "https://10.0.0.1",
        ] {
            #expect(try proxy(url) == nil, "\(url)")
        }
    }
}
