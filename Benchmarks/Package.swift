// swift-tools-version: 6.2
// The benches that need programs of their own, a package of its own, so that nobody who builds kvreel builds them. Its
// folders are links to the modules of kvreel: their `package` declarations are in reach here.
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "kvreel-benchmarks",
    dependencies: [
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", .upToNextMinor(from: "0.2.0")),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        .target(name: "Wire", swiftSettings: strict),
        .target(name: "Chains", dependencies: ["Wire"], swiftSettings: strict),
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "ChainRuntime", dependencies: ["Wire", "Chains", "CLinux"], swiftSettings: strict),
        .target(name: "CEcho", cSettings: [.define("_GNU_SOURCE")]),
        .executableTarget(
            name: "bench-chains", dependencies: ["Wire", "Chains", "ChainRuntime", "CEcho"], swiftSettings: strict),
        .executableTarget(
            name: "bench-protocols", dependencies: ["Wire", "Chains", "ChainRuntime", "CEcho"], swiftSettings: strict),
        .target(name: "Consistency", dependencies: ["Wire"], swiftSettings: strict),
        .executableTarget(
            name: "bench-failover", dependencies: ["Wire", "Chains", "ChainRuntime", "Consistency"],
            swiftSettings: strict),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "HTTP2", dependencies: ["Wire"], swiftSettings: strict),
        .target(name: "Etcd", dependencies: ["Wire", "HTTP2", "CZlib"], swiftSettings: strict),
        .target(
            name: "Replay",
            dependencies: ["Wire", "Etcd", .product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: strict),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "Trace", dependencies: ["Wire", "Etcd", "CZstd"], swiftSettings: strict),
        .target(
            name: "Backends",
            dependencies: [
                "Wire", "HTTP2", "Etcd", "Replay", "CLinux", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .target(
            name: "ReplayLoad", dependencies: ["Wire", "Etcd", "Trace", "Replay", "CLinux"], swiftSettings: strict),
        .executableTarget(
            name: "bench-engine", dependencies: ["Etcd", "Replay", "Backends", "ReplayLoad"], swiftSettings: strict),
        .target(name: "CTicks", cSettings: [.define("_GNU_SOURCE")]),
        .executableTarget(
            name: "bench-lag", dependencies: ["Etcd", "Replay", "Backends", "ReplayLoad", "CTicks"],
            swiftSettings: strict),
        .executableTarget(
            name: "bench-etcd-client", dependencies: ["Wire", "Etcd", "Replay", "Backends"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
