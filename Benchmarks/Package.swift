// swift-tools-version: 6.1
import PackageDescription

// Benchmarks of single operations, a package of its own so that the product does not depend on what measures it.
// PKG_CONFIG_PATH must name the folder that `make setup` wrote libtorch.pc into; `make bench-operations` does that.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-sedd", path: "..", traits: []),
        // Percentiles, baselines and comparisons; without its trait for counting allocations, which needs jemalloc.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Operations",
            dependencies: [
                .product(name: "SEDD", package: "swift-sedd"), .product(name: "Torch", package: "swift-sedd"),
                .product(name: "Text", package: "swift-sedd"), .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/Operations",
            linkerSettings: [
                .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "\(Context.packageDirectory)/../.libtorch/lib"])
            ],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
