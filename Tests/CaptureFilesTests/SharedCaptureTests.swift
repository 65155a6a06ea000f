import CaptureFiles
import Foundation
import Testing

/// Recordings of a real cluster that are too large for this repository.
enum SharedCaptures {
    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["KVREEL_CAPTURES"] { return URL(fileURLWithPath: path) }
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return root.deletingLastPathComponent().appendingPathComponent("shared/captures")
    }()

    /// Whether to run: on a developer's machine only where they are, in CI always.
    static let areWanted =
        ProcessInfo.processInfo.environment["CI"] != nil || FileManager.default.fileExists(atPath: folder.path)

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}

@Suite("Real captures", .enabled(if: SharedCaptures.areWanted))
struct SharedCaptureTests {
    struct Manifest: Decodable {
        struct Variant: Decodable {
            var name: String
            var file: String
            var packets: Int
        }

        var variants: [Variant]
    }

    static let base = "netcraq-scale/capture.pcap.zst"

    @Test("every variant has the packets that its manifest counts, undamaged but for the one that is cut")
    func counts() throws {
        let manifest = try JSONDecoder().decode(
            Manifest.self, from: Data(contentsOf: URL(fileURLWithPath: SharedCaptures.path("impaired/manifest.json"))))
        #expect(manifest.variants.count == 39)
        for variant in manifest.variants {
            let read = try ReadFiles([SharedCaptures.path("impaired/\(variant.file)")])
            let isCut = variant.name == "cut-file"
            // The manifest counts the packets before the cut.
            #expect(read.packets.count == (isCut ? 11_674 : variant.packets), "\(variant.name)")
            #expect(read.health.packets == read.packets.count, "\(variant.name)")
            #expect(read.health.endsWithinPacket == isCut, "\(variant.name)")
            #expect(read.health.damages == 0, "\(variant.name)")
            #expect((read.health.packetsCut > 0) == variant.name.hasPrefix("snap"), "\(variant.name)")
        }
    }

    @Test(
        "another framing of the same packets gives the same bytes, and the same times to a microsecond",
        arguments: [
            "big-endian.pcap.zst", "nanoseconds.pcap.zst", "gzip.pcap.gz", "pcapng.pcapng.zst",
            "pcapng-two-interfaces.pcapng.zst", "pcapng-two-sections.pcapng.zst", "pcapng-big-endian-ns.pcapng.zst",
            "pcapng-binary-resolution.pcapng.zst",
        ])
    func framings(_ file: String) throws {
        var base = try ReadFiles([SharedCaptures.path(Self.base)]).packets
        var other = try ReadFiles([SharedCaptures.path("impaired/\(file)")]).packets
        if file.contains("two-interfaces") {
            // Written interface by interface, so packets of the same microsecond have changed places.
            base.sort(by: Self.isBefore)
            other.sort(by: Self.isBefore)
        }
        #expect(base.count == other.count)
        let different = zip(base, other).enumerated().first { !Self.isSame($1.0, $1.1) }
        if let (index, (expected, found)) = different {
            Issue.record(
                """
                packet \(index) differs
                  expected  \(expected.bytes.count) of \(expected.originalLength) bytes at \(expected.nanoseconds) ns
                  found     \(found.bytes.count) of \(found.originalLength) bytes at \(found.nanoseconds) ns
                """)
        }
    }

    private static func isSame(_ first: ReadPacket, _ second: ReadPacket) -> Bool {
        first.bytes == second.bytes && first.originalLength == second.originalLength
            && first.linkType == second.linkType && abs(first.nanoseconds - second.nanoseconds) < 1000
    }

    private static func isBefore(_ first: ReadPacket, _ second: ReadPacket) -> Bool {
        if first.nanoseconds != second.nanoseconds { return first.nanoseconds < second.nanoseconds }
        return first.bytes.lexicographicallyPrecedes(second.bytes)
    }

    @Test("the secrets inside a capture are the lines of the key log beside it")
    func secrets() throws {
        let read = try ReadFiles([SharedCaptures.path("tls13/capture-with-secrets.pcapng.zst")])
        let log = try Data(contentsOf: URL(fileURLWithPath: SharedCaptures.path("tls13/keys.log")))
        #expect(read.secrets.allSatisfy { $0.kind == 0x544c_534b })
        let inside = Set(read.secrets.flatMap { $0.bytes.split(separator: 0x0a) }.map(Array.init))
        let beside = Set(log.split(separator: 0x0a).map(Array.init))
        #expect(!beside.isEmpty)
        #expect(inside == beside)
    }

    @Test("a large capture with a window of 128 MiB is read with a mebibyte of storage")
    func large() throws {
        var reader = try CaptureReader(paths: [SharedCaptures.path("large/capture.pcap.zst")])
        var batch = PacketBatch()
        var storageBytes = 0
        while try reader.next(into: &batch) { storageBytes = max(storageBytes, batch.storage.count) }
        #expect(reader.health.packets == 92_489)
        #expect(reader.health.packetBytes == 283_746_805)
        #expect(storageBytes == 1 << 20)
    }
}
