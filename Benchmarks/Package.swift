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
    ],
    swiftLanguageModes: [.v6]
)
