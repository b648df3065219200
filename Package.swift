// swift-tools-version: 6.2
import PackageDescription

// Scripts/libtorch.sh leaves `.libtorch/`: `libtorch.pc`, which pkg-config answers with -I, -L and -l, and `lib`,
// a link to the folder of the shared libraries. Only what is run (executables and tests) needs the run path, so
// the library products stay free of unsafe flags and can be depended on by version.
let runPath: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "\(Context.packageDirectory)/.libtorch/lib"])
]

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// What only the command needs. A package that depends on the library alone says `traits: []`, and fetches none of it.
let command: TargetDependencyCondition? = .when(traits: ["Command"])

let package = Package(
    name: "swift-sedd",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SEDD", targets: ["SEDD", "Files"]),
        .library(name: "Torch", targets: ["Torch", "Files"]),
        .library(name: "Text", targets: ["Text", "Files"]),
        .executable(name: "sedd", targets: ["sedd"]),
    ],
    traits: [
        .trait(name: "Command", description: "The command sedd, with its server and its client of model hubs."),
        .default(enabledTraits: ["Command"]),
    ],
    dependencies: [
        // Command line: parsing, help and usage errors.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // Presets and run.yaml.
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        // SHA-256 of checkpoint files.
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        // TensorBoard's event records.
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        // The server: HTTP, its life cycle, its log and its metrics.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        // Models from the hub, and the client of the server's tests.
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        // `make docs`.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibTorch", pkgConfig: "libtorch"),
        .target(name: "CTorch", dependencies: ["CLibTorch"], exclude: ["cuda/kernels"]),
        // Processes that work together, by libtorch's c10d. `names` stands in for headers of Gloo, which libtorch does not bring.
        .target(
            name: "CDistributed", dependencies: ["CLibTorch"], exclude: ["names"],
            cxxSettings: [.headerSearchPath("names")]),
        .target(name: "Files", swiftSettings: strict),
        // Files of named tensors, read without a tensor engine.
        .target(name: "TensorFiles", dependencies: ["Files"], swiftSettings: strict),
        .target(
            name: "Torch", dependencies: ["CTorch", "CDistributed", "Files", "TensorFiles"], swiftSettings: strict),
        .target(name: "Text", dependencies: ["Files"], swiftSettings: strict),
        .target(
            name: "Presets", path: "Configurations",
            resources: [
                .embedInCode("published-tiny.yaml"), .embedInCode("stories.yaml"), .embedInCode("tiny-cpu.yaml"),
                .embedInCode("text8-small.yaml"),
                .embedInCode("sedd-small.yaml"), .embedInCode("sedd-medium.yaml"),
            ], swiftSettings: strict),
        .target(
            name: "SEDD",
            dependencies: [
                "Files", "TensorFiles", "Torch", "Text", "Yams",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ], exclude: ["Training/TensorBoard/event.proto"], swiftSettings: strict),
        .target(
            name: "SEDDServer",
            dependencies: [
                "Files", "SEDD", "Text",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: command),
                .product(name: "Hummingbird", package: "hummingbird", condition: command),
                .product(name: "HummingbirdCore", package: "hummingbird", condition: command),
                .product(name: "Logging", package: "swift-log", condition: command),
                .product(name: "Metrics", package: "swift-metrics", condition: command),
                .product(name: "NIOCore", package: "swift-nio", condition: command),
                .product(name: "NIOExtras", package: "swift-nio-extras", condition: command),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: command),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras", condition: command),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras", condition: command),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: command),
                .product(name: "UnixSignals", package: "swift-service-lifecycle", condition: command),
            ],
            resources: [
                .embedInCode("API/openapi.json"), .embedInCode("Page/about.js"), .embedInCode("Page/address.js"),
                .embedInCode("Page/clipboard.js"), .embedInCode("Page/comparison.js"),
                .embedInCode("Page/demonstration.js"), .embedInCode("Page/editor.js"), .embedInCode("Page/events.js"),
                .embedInCode("Page/examples.js"), .embedInCode("Page/fields.js"), .embedInCode("Page/flow.js"),
                .embedInCode("Page/handles.js"), .embedInCode("Page/holes.js"), .embedInCode("Page/holetools.js"),
                .embedInCode("Page/index.html"), .embedInCode("Page/inspector.js"), .embedInCode("Page/lines.js"),
                .embedInCode("Page/narrow.css"), .embedInCode("Page/notices.js"), .embedInCode("Page/page.css"),
                .embedInCode("Page/page.js"), .embedInCode("Page/picker.js"), .embedInCode("Page/pieces.js"),
                .embedInCode("Page/player.js"), .embedInCode("Page/recording.js"), .embedInCode("Page/runs.js"),
                .embedInCode("Page/service.js"), .embedInCode("Page/settings.js"), .embedInCode("Page/spans.js"),
                .embedInCode("Page/stage.js"), .embedInCode("Page/text.css"), .embedInCode("Page/textview.js"),
                .embedInCode("Page/trajectory.js"), .embedInCode("Page/transport.js"),
            ], swiftSettings: strict),
        // Models by name: the hub's protocol and its client's cache.
        .target(
            name: "Hub",
            dependencies: [
                "Files",
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: command),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio", condition: command),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: command),
                .product(name: "NIOPosix", package: "swift-nio", condition: command),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: command),
            ], swiftSettings: strict),
        // Signals and standard streams, before libtorch is loaded.
        .target(name: "CStartup"),
        .executableTarget(
            name: "sedd",
            dependencies: [
                "CStartup", "Files", "Hub", "SEDD", "SEDDServer", "Text", "Presets", "Yams",
                .product(name: "ArgumentParser", package: "swift-argument-parser", condition: command),
                .product(name: "Logging", package: "swift-log", condition: command),
            ], swiftSettings: strict, linkerSettings: runPath),
        // The kernels for CUDA devices as C++ for the CPU, which tests run in their place.
        .target(
            name: "CUDAEmulation", dependencies: ["CTorch"], path: "Tests/CUDAEmulation",
            cxxSettings: [.unsafeFlags(["-O2"])]),
        .testTarget(
            name: "CUDATests", dependencies: ["Files", "SEDD", "CUDAEmulation"], swiftSettings: strict,
            linkerSettings: runPath),
        .testTarget(name: "FilesTests", dependencies: ["Files"], swiftSettings: strict),
        // A model hub on this machine.
        .target(
            name: "FakeHub",
            dependencies: [
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types", condition: command),
                .product(name: "Hummingbird", package: "hummingbird", condition: command),
                .product(name: "HummingbirdTesting", package: "hummingbird", condition: command),
                .product(name: "Logging", package: "swift-log", condition: command),
                .product(name: "NIOCore", package: "swift-nio", condition: command),
            ], path: "Tests/FakeHub", swiftSettings: strict),
        .testTarget(name: "HubTests", dependencies: ["FakeHub", "Files", "Hub"], swiftSettings: strict),
        .testTarget(name: "TextTests", dependencies: ["Files", "Text"], exclude: ["Golden"], swiftSettings: strict),
        .testTarget(
            name: "TensorFilesTests", dependencies: ["TensorFiles", "Files"], exclude: ["Golden"], swiftSettings: strict
        ),
        .testTarget(
            name: "TorchTests", dependencies: ["Files", "Torch"], swiftSettings: strict, linkerSettings: runPath),
        .testTarget(
            name: "SEDDTests", dependencies: ["Files", "SEDD"], exclude: ["Golden"], swiftSettings: strict,
            linkerSettings: runPath),
        .testTarget(
            name: "SEDDServerTests",
            dependencies: [
                "Files", "SEDDServer", .product(name: "HummingbirdTesting", package: "hummingbird", condition: command),
                .product(name: "AsyncHTTPClient", package: "async-http-client", condition: command),
                .product(name: "NIOEmbedded", package: "swift-nio", condition: command),
                .product(name: "NIOExtras", package: "swift-nio-extras", condition: command),
                .product(name: "NIOHTTP1", package: "swift-nio", condition: command),
            ],
            swiftSettings: strict, linkerSettings: runPath),
        .testTarget(
            name: "CommandTests", dependencies: ["FakeHub", "sedd"], swiftSettings: strict, linkerSettings: runPath),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)

// `make fuzz` builds with libFuzzer; nothing else does.
if Context.environment["SEDD_FUZZ"] != nil {
    package.targets += [
        .target(name: "Driver", path: "Fuzz/Driver"),
        .target(name: "Harness", dependencies: ["Driver"], path: "Fuzz/Harness", swiftSettings: strict),
        .executableTarget(
            name: "fuzz-files", dependencies: ["Files", "Harness", "TensorFiles", "Text"], path: "Fuzz/Files",
            swiftSettings: strict),
        .executableTarget(
            name: "fuzz-models", dependencies: ["Files", "Harness", "SEDD", "Text"], path: "Fuzz/Models",
            swiftSettings: strict, linkerSettings: runPath),
    ]
}
