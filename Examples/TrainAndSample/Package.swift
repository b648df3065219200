// swift-tools-version: 6.1
import PackageDescription

// A package of your own: depend on swift-sedd, and give what you run the path of libtorch's libraries.
// Build with PKG_CONFIG_PATH naming the folder that swift-sedd's `make setup` wrote libtorch.pc into.
let package = Package(
    name: "TrainAndSample",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-sedd", path: "../..")],
    targets: [
        .executableTarget(
            name: "TrainAndSample",
            dependencies: [
                .product(name: "SEDD", package: "swift-sedd"), .product(name: "Text", package: "swift-sedd"),
            ],
            linkerSettings: [
                .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "\(Context.packageDirectory)/../../.libtorch/lib"])
            ])
    ]
)
