// swift-tools-version: 6.2
// The fuzz targets, a package of its own, so that nobody who builds kvreel builds them. Its folders are links to the
// modules of kvreel: built here, they are instrumented, and their `package` declarations are in reach.
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// One executable a border: `Sources/fuzz-NAME`.
let borders = [
    "capture-file", "packets", "tls-records", "http2", "etcd", "trace", "pipeline", "chains-paper", "chains", "history",
    "control", "canary",
]

let package = Package(
    name: "kvreel-fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.2"))
    ],
    targets: [
        .systemLibrary(name: "CPcap"),
        .systemLibrary(name: "CZstd"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CLibFuzzer"),
        .target(name: "Wire", swiftSettings: strict),
        .target(name: "CaptureFiles", dependencies: ["Wire", "CPcap", "CZstd", "CZlib"], swiftSettings: strict),
        .target(name: "Packets", dependencies: ["Wire"], swiftSettings: strict),
        .target(name: "HTTP2", dependencies: ["Wire"], swiftSettings: strict),
        .target(
            name: "TLSRecords", dependencies: ["Wire", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(name: "Etcd", dependencies: ["Wire", "HTTP2", "CZlib"], swiftSettings: strict),
        .target(name: "Trace", dependencies: ["Wire", "Etcd", "CZstd"], swiftSettings: strict),
        .target(
            name: "Recording",
            dependencies: ["Wire", "CaptureFiles", "Packets", "TLSRecords", "HTTP2", "Etcd", "Trace"],
            swiftSettings: strict),
        .target(name: "Consistency", dependencies: ["Wire"], swiftSettings: strict),
        .target(
            name: "Analysis", dependencies: ["Wire", "Etcd", "Trace", "Consistency"], swiftSettings: strict),
        .target(name: "Chains", dependencies: ["Wire"], swiftSettings: strict),
        .target(
            name: "FuzzLaws",
            dependencies: [
                "Wire", "CaptureFiles", "Packets", "TLSRecords", "HTTP2", "Etcd", "Trace", "Recording", "Analysis",
                "Chains", "Consistency", .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: strict),
        .target(name: "FuzzDriver", dependencies: ["FuzzLaws", "CLibFuzzer"], swiftSettings: strict),
        .executableTarget(
            name: "fuzz-corpus",
            dependencies: ["Wire", "CaptureFiles", "Packets", "HTTP2", "Etcd", "Trace", "Recording", "FuzzLaws"],
            swiftSettings: strict),
    ]
        + borders.map {
            .executableTarget(name: "fuzz-\($0)", dependencies: ["FuzzLaws", "FuzzDriver"], swiftSettings: strict)
        },
    swiftLanguageModes: [.v6]
)
