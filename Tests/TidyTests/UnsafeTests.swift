import Testing

@Suite("Unsafe code stays where it is watched")
struct UnsafeTests {
    /// The files that may say `unsafe`, and why each has to.
    private static let reasons = [
        "Sources/Wire/ByteReading.swift": "loads of numbers from bytes; bounds are checked before each",
        "Sources/Wire/ByteWriting.swift": "stores of numbers into bytes; bounds are checked before each",
        "Sources/CaptureFiles/FileBytes.swift": "bytes of a file or a pipe into memory",
        "Sources/CaptureFiles/GzipStream.swift": "zlib, for compressed captures",
        "Sources/CaptureFiles/ZstdStream.swift": "zstd, for compressed captures",
        "Sources/CaptureFiles/PcapHandle.swift": "libpcap, for the live interface",
        "Sources/TLSRecords/RecordCipher.swift": "BoringSSL's AEADs, for TLS records",
        "Sources/Etcd/Inflater.swift": "zlib, for compressed gRPC messages",
        "Sources/Trace/TraceFile.swift": "system calls on the trace's file",
        "Sources/Trace/Zstandard.swift": "zstd, for the blocks of a trace",
        "Sources/ChainRuntime/SystemCalls.swift": "datagrams and streams in memory that the system fills, processes",
        "Sources/Backends/SystemCalls.swift": "processes of a store's members, questions to them, locked folders",
        "Sources/Backends/LoopThread.swift": "a backend lent to its event loop's thread while its own waits",
        "Sources/kvreel/SystemCalls.swift": "signals and the terminal",
        "Benchmarks/Sources/bench-chains/Measured.swift": "the echo's port, which C hands over by a pointer",
        "Fuzz/Sources/FuzzDriver/FuzzDriver.swift": "libFuzzer, which hands over its inputs",
    ]

    private static let users = RepositoryFile.swiftFiles.filter { file in
        SwiftCode(file.text ?? "").words.contains { $0.word == "unsafe" }
    }

    @Test("only the files named here say `unsafe`")
    func onlyNamedFiles() {
        let unnamed = Self.users.map(\.path).filter { Self.reasons[$0] == nil && !$0.hasPrefix("Tests/") }
        #expect(unnamed.isEmpty)
    }

    @Test("every file named here still needs to be")
    func noStaleReasons() {
        let users = Set(Self.users.map(\.path))
        #expect(Self.reasons.keys.filter { !users.contains($0) }.sorted().isEmpty)
    }

    @Test("nothing opts out of the checks", arguments: RepositoryFile.sources)
    func noOptOut(_ file: RepositoryFile) throws {
        let optOuts: Set<Substring> = ["unchecked", "fatalError", "preconcurrency", "testable", "_silgen_name"]
        for (word, line) in SwiftCode(try #require(file.text)).words where optOuts.contains(word) {
            Issue.record("\(file.path):\(line) says `\(word)`")
        }
    }
}
