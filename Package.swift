// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "kvreel",
    products: [.executable(name: "kvreel", targets: ["kvreel"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .systemLibrary(name: "CPcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "Wire", swiftSettings: strict),
        .target(name: "CaptureFiles", dependencies: ["Wire", "CPcap", "CZstd", "CZlib"], swiftSettings: strict),
        .target(name: "Packets", dependencies: ["Wire"], swiftSettings: strict),
        .target(name: "HTTP2", dependencies: ["Wire"], swiftSettings: strict),
        .target(name: "Etcd", dependencies: ["Wire", "HTTP2", "CZlib"], swiftSettings: strict),
        .target(name: "Trace", dependencies: ["Wire", "Etcd", "CZstd"], swiftSettings: strict),
        .target(
            name: "Recording", dependencies: ["Wire", "CaptureFiles", "Packets", "HTTP2", "Etcd", "Trace"],
            swiftSettings: strict),
        .target(name: "Analysis", dependencies: ["Wire", "Etcd", "Trace"], swiftSettings: strict),
        .executableTarget(
            name: "kvreel",
            dependencies: [
                "Wire", "CaptureFiles", "Etcd", "Trace", "Recording", "Analysis",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
