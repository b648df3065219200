// swift-tools-version: 6.1
import PackageDescription

// A package that depends on swift-sedd; `traits: []` leaves out what only its command needs. Executables need the run
// path of libtorch's libraries. Build with PKG_CONFIG_PATH set to the folder where swift-sedd's `make setup` wrote libtorch.pc.
let package = Package(
    name: "TrainAndSample",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-sedd", path: "../..", traits: [])],
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
