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
        // TLSRecords also calls the BoringSSL inside, whose names no version promises to keep.
        .package(url: "https://github.com/apple/swift-crypto", .upToNextMinor(from: "4.5.2")),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", .upToNextMinor(from: "0.2.0")),
    ],
    targets: [
        .systemLibrary(name: "CPcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "Wire", swiftSettings: strict),
        .target(name: "CaptureFiles", dependencies: ["Wire", "CPcap", "CZstd", "CZlib"], swiftSettings: strict),
        .target(name: "Packets", dependencies: ["Wire"], swiftSettings: strict),
        .target(
            name: "TLSRecords", dependencies: ["Wire", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(name: "HTTP2", dependencies: ["Wire"], swiftSettings: strict),
        .target(name: "Etcd", dependencies: ["Wire", "HTTP2", "CZlib"], swiftSettings: strict),
        .target(name: "Trace", dependencies: ["Wire", "Etcd", "CZstd"], swiftSettings: strict),
        .target(
            name: "Recording",
            dependencies: ["Wire", "CaptureFiles", "Packets", "TLSRecords", "HTTP2", "Etcd", "Trace"],
            swiftSettings: strict),
        .target(name: "Consistency", dependencies: ["Wire"], swiftSettings: strict),
        .target(
            name: "Analysis", dependencies: ["Wire", "Etcd", "Trace", "Consistency"], swiftSettings: strict),
        .target(
            name: "Replay",
            dependencies: ["Wire", "Etcd", .product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: strict),
        .target(
            name: "Report", dependencies: ["Wire", "Etcd", "Trace", "Analysis", "Replay"], swiftSettings: strict),
        .target(name: "Generation", dependencies: ["Wire", "Etcd"], swiftSettings: strict),
        .target(name: "Chains", dependencies: ["Wire"], swiftSettings: strict),
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "ChainRuntime", dependencies: ["Wire", "Chains", "CLinux"], swiftSettings: strict),
        .target(
            name: "Backends",
            dependencies: [
                "Wire", "HTTP2", "Etcd", "Replay", "CLinux", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], swiftSettings: strict),
        .target(
            name: "ChainBackends", dependencies: ["Wire", "Etcd", "Replay", "Chains", "ChainRuntime"],
            swiftSettings: strict),
        .target(name: "Simulation", dependencies: ["Wire", "Chains", "Consistency"], swiftSettings: strict),
        .executableTarget(
            name: "kvreel",
            dependencies: [
                "Wire", "CaptureFiles", "Packets", "Etcd", "Trace", "Recording", "Analysis", "Chains", "ChainRuntime",
                "Consistency", "Simulation", "Replay", "Backends", "ChainBackends", "Report", "Generation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),

        .target(
            name: "FuzzLaws",
            dependencies: [
                "Wire", "CaptureFiles", "Packets", "TLSRecords", "HTTP2", "Etcd", "Trace", "Recording", "Analysis",
                "Chains", "Consistency", .product(name: "Crypto", package: "swift-crypto"),
            ], path: "Fuzz/Sources/FuzzLaws", swiftSettings: strict),

        .target(name: "TestSupport", dependencies: ["Wire"], path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "BackendConformance", dependencies: ["Etcd", "Replay"], path: "Tests/BackendConformance",
            swiftSettings: strict),
        .testTarget(
            name: "CaptureFilesTests", dependencies: ["Wire", "CaptureFiles", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "PacketsTests", dependencies: ["Wire", "Packets", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "TLSRecordsTests",
            dependencies: ["Wire", "TLSRecords", "TestSupport", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .testTarget(name: "HTTP2Tests", dependencies: ["Wire", "HTTP2", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "EtcdTests",
            dependencies: [
                "Wire", "HTTP2", "Etcd", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ], exclude: ["Schema"], swiftSettings: strict),
        .testTarget(name: "TraceTests", dependencies: ["Wire", "Etcd", "Trace", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "RecordingTests",
            dependencies: ["Wire", "CaptureFiles", "Packets", "Etcd", "Trace", "Recording", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "AnalysisTests", dependencies: ["Wire", "Etcd", "Trace", "Analysis", "Consistency"],
            exclude: ["Goldens"],
            swiftSettings: strict),
        .testTarget(
            name: "ReplayTests",
            dependencies: ["Wire", "CaptureFiles", "Etcd", "Recording", "Replay", "Generation", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "GenerationTests",
            dependencies: [
                "Wire", "CaptureFiles", "Etcd", "Trace", "Recording", "Analysis", "Generation", "TestSupport",
            ], swiftSettings: strict),
        .testTarget(
            name: "ReportTests",
            dependencies: ["Wire", "Etcd", "Trace", "Analysis", "Replay", "Report", "TestSupport"],
            exclude: ["Goldens"], swiftSettings: strict),
        .testTarget(
            name: "BackendsTests",
            dependencies: ["Wire", "Etcd", "Replay", "Backends", "BackendConformance", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ChainBackendsTests",
            dependencies: [
                "Wire", "Etcd", "Replay", "Chains", "ChainRuntime", "ChainBackends", "BackendConformance",
                "TestSupport",
            ], swiftSettings: strict),
        .testTarget(
            name: "ChainsTests", dependencies: ["Wire", "Chains", "Consistency", "TestSupport"], exclude: ["Cases"],
            swiftSettings: strict),
        .testTarget(
            name: "ChainRuntimeTests", dependencies: ["Wire", "Chains", "ChainRuntime"], swiftSettings: strict),
        .testTarget(
            name: "ConsistencyTests", dependencies: ["Wire", "Consistency", "TestSupport"], exclude: ["Cases"],
            swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["Wire", "Chains", "Consistency", "Simulation", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["Wire", "FuzzLaws", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "KvreelTests",
            dependencies: [
                "Wire", "Etcd", "Trace", "Chains", "ChainRuntime", "Replay", "Backends", "kvreel", "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", dependencies: ["kvreel", "TestSupport"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
