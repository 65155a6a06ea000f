import CaptureFiles
import Foundation
import Testing
import Wire

@Suite("Capture reader")
struct CaptureReaderTests {
    let folder: CaptureFolder
    let pcap = CaptureBuilder.smallPcap(count: 40)
    let packets: [ReadPacket]

    init() throws {
        folder = try CaptureFolder()
        packets = ReadCapture(pcap).packets
    }

    @Test("several files are read in order, whatever their formats, and their counts added")
    func severalFiles() throws {
        let pcapng = CaptureBuilder.smallPcapng()
        let paths = [
            try folder.write("a", pcapng), try folder.write("b", CompressedBytes.gzip(pcap)),
            try folder.write("c", CompressedBytes.zstd(pcapng)), try folder.write("d", pcap),
        ]
        let read = try ReadFiles(paths)
        let second = ReadCapture(pcapng)
        #expect(read.packets == second.packets + packets + second.packets + packets)
        #expect(read.secrets == second.secrets + second.secrets)
        #expect(read.health.packets == 2 * 6 + 2 * 40)
        #expect(read.health.packetsDropped == 20)
        #expect(read.bytesRead == read.totalBytes)
    }

    @Test("a chunk smaller than a packet grows to hold it, and any chunk reads the same", arguments: [1, 7, 64, 1000])
    func chunks(_ chunkBytes: Int) throws {
        var limits = CaptureLimits()
        limits.chunkBytes = chunkBytes
        for bytes in [pcap, CompressedBytes.gzip(pcap), CompressedBytes.zstd(pcap)] {
            let read = try ReadFiles([folder.write("file", bytes)], limits: limits)
            #expect(read.packets == packets)
            #expect(read.storageBytes <= max(chunkBytes, 16 + 39 * 7 + 5))
        }
    }

    @Test("a compressed file may consist of several frames or members, empty and skippable ones too")
    func concatenated() throws {
        let (head, tail) = (Array(pcap[..<333]), Array(pcap[333...]))
        let none: [UInt8] = []
        let files = [
            CompressedBytes.gzip(head) + CompressedBytes.gzip(none) + CompressedBytes.gzip(tail),
            CompressedBytes.zstd(head) + CompressedBytes.zstd(none) + CompressedBytes.zstd(tail),
            CompressedBytes.skippable([1, 2, 3]) + CompressedBytes.zstd(head) + CompressedBytes.skippable(none)
                + CompressedBytes.zstd(tail),
        ]
        for file in files {
            let read = try ReadFiles([folder.write("file", file)])
            #expect(read.packets == packets)
            #expect(read.health.damages == 0)
            #expect(!read.health.endsWithinPacket)
        }
    }

    @Test("other bytes behind a compressed capture are damage, and the capture is read")
    func trailingBytes() throws {
        for file in [CompressedBytes.gzip(pcap), CompressedBytes.zstd(pcap)] {
            let read = try ReadFiles([folder.write("file", file + Array("something else".utf8))])
            #expect(read.packets == packets)
            #expect(read.health.damages == 1)
            #expect(read.health.firstDamage == CaptureDamage(offset: pcap.count, reason: .trailingBytes))
        }
    }

    @Test("a compressed file that ends early gives what was in it")
    func cutCompressed() throws {
        for file in [CompressedBytes.gzip(pcap), CompressedBytes.zstd(pcap)] {
            let read = try ReadFiles([folder.write("file", Array(file.dropLast(1000)))])
            #expect(read.packets == Array(packets.prefix(read.packets.count)))
            #expect(read.health.endsWithinPacket)
            #expect(read.health.damages == 0)
        }
        // zlib hands stored bytes over as they come: the last 1000 bytes are four packets of some 280 and 8 more.
        let gzip = try ReadFiles([folder.write("file", Array(CompressedBytes.gzip(pcap).dropLast(1000)))])
        #expect(gzip.packets.count == 36)
    }

    @Test("a compressed file that is damaged gives what was before the damage")
    func damagedCompressed() throws {
        var file = CompressedBytes.gzip(pcap)
        file[file.count - 6] ^= 1
        let read = try ReadFiles([folder.write("file", file)])
        #expect(read.packets == packets)
        #expect(read.health.damages == 1)
        guard case .compression = read.health.firstDamage?.reason else {
            Issue.record("\(String(describing: read.health.firstDamage)) is no damage of the compression")
            return
        }
    }

    @Test("nothing but damage is refused with the decompressor's reason")
    func onlyDamage() throws {
        let gzip: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 7]
        let path = try folder.write("bad.gz", gzip)
        let error = #expect(throws: CaptureError.self) { try ReadFiles([path]) }
        #expect(error?.kind == .damaged)
        #expect(error?.why.contains("invalid block type") == true)
    }

    @Test("a zstd window larger than the limit is refused, with the way round")
    func window() throws {
        let allowed = try ReadFiles([folder.write("ok.zst", CompressedBytes.zstd(pcap, windowLog: 27))])
        #expect(allowed.packets == packets)
        let path = try folder.write("large.zst", CompressedBytes.zstd(pcap, windowLog: 28))
        let error = #expect(throws: CaptureError.self) { try ReadFiles([path]) }
        #expect(error?.kind == .windowTooLarge)
        #expect(error?.why == "its zstd window is larger than 128 MiB")
        #expect(error?.remedy.contains("zstd -d --long=31") == true)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var bytes: [UInt8]
        var kind: CaptureError.Kind
        var why: String
        var testDescription: String { why }
    }

    @Test(
        "a file that is no capture is refused, and said what it looks like",
        arguments: [
            Refusal(bytes: [], kind: .empty, why: "it is empty"),
            Refusal(bytes: [0x0a, 0x0d, 0x0d, 0x0a, 0, 0], kind: .damaged, why: "it ends within its header"),
            Refusal(
                bytes: Array(CaptureBuilder.smallPcap().prefix(23)), kind: .damaged, why: "it ends within its header"),
            Refusal(
                bytes: [0x28, 0xb5, 0x2f, 0xfd], kind: .damaged, why: "the compressed file ends before its first packet"
            ),
            Refusal(
                bytes: Array("CLIENT_RANDOM 01 02\n".utf8), kind: .notACapture,
                why: "not a packet capture; it looks like a TLS key log"),
            Refusal(
                bytes: Array("KVREEL\0\u{1}".utf8), kind: .notACapture,
                why: "not a packet capture; it looks like a kvreel trace"),
            Refusal(bytes: Array("hi\n".utf8), kind: .notACapture, why: "not a packet capture; it looks like text"),
            Refusal(
                bytes: CompressedBytes.gzip(Array("some text".utf8)), kind: .notACapture,
                why: "not a packet capture; it looks like text"),
            Refusal(
                bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4], kind: .notACapture,
                why: "not a packet capture; it looks like an xz file"),
            Refusal(
                bytes: [1, 2, 3, 4, 5], kind: .notACapture,
                why: "not a packet capture; it looks like none of the formats that are known"),
            Refusal(
                bytes: Array(CaptureBuilder.smallPcap().prefix(24)) + Array(repeating: 0xff, count: 90), kind: .damaged,
                why: "a record length of 4294967295 bytes, more than a packet can have, and no packet before it"),
        ])
    func refused(_ refusal: Refusal) throws {
        let path = try folder.write("file", refusal.bytes)
        let error = #expect(throws: CaptureError.self) { try ReadFiles([path]) }
        #expect(error?.kind == refusal.kind)
        #expect(error?.path == path)
        #expect(error?.why == refusal.why)
    }

    @Test("the next file is read after one that was refused")
    func readsOn() throws {
        var reader = try CaptureReader(paths: [folder.write("a", Array("text".utf8)), folder.write("b", pcap)])
        var batch = PacketBatch()
        do {
            _ = try reader.next(into: &batch)
            Issue.record("the first file is no capture")
        } catch {
            #expect(error.kind == .notACapture)
        }
        #expect(try reader.next(into: &batch))
        #expect(batch.packets.count == 40)
        #expect(reader.currentName.hasSuffix("/b"))
        #expect(try !reader.next(into: &batch))
    }

    @Test("missing files and directories are known before anything is read")
    func missing() throws {
        let good = try folder.write("good", pcap)
        let absent = folder.url.path + "/absent"
        let missing = #expect(throws: CaptureError.self) { try ReadFiles([good, absent]) }
        #expect(missing?.description == "kvreel: cannot read: \(absent): No such file or directory")
        #expect(missing?.kind == .missing)
        let directory = #expect(throws: CaptureError.self) { try ReadFiles([folder.url.path]) }
        #expect(directory?.kind == .directory)
        #expect(#expect(throws: CaptureError.self) { try ReadFiles([]) }?.kind == .usage)
        #expect(#expect(throws: CaptureError.self) { try ReadFiles(["-", "-"]) }?.kind == .usage)
    }

    @Test("a pipe is read without waiting for a whole chunk, and has no size")
    func pipe() throws {
        let path = folder.url.path + "/pipe"
        try Tool.run("mkfifo", [path])
        var reader = try CaptureReader(paths: [path])
        #expect(reader.totalBytes == nil)
        // The first opening of a FIFO waits for the other side, which this opening of both sides satisfies.
        let writer = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try writer.write(contentsOf: pcap)
        var batch = PacketBatch()
        #expect(try reader.next(into: &batch))
        #expect(batch.packets.count == 40)
        try writer.close()
        #expect(try !reader.next(into: &batch))
        #expect(reader.bytesRead == pcap.count)
    }

    @Test("an error prints what, where, why and, on a second line, the remedy")
    func description() {
        let error = CaptureError.unsupportedLinkType(LinkType(rawValue: 127), path: "wifi.pcap")
        #expect(
            error.description == """
                kvreel: cannot decode: wifi.pcap: its packets are of link type 127 (IEEE 802.11)
                Record on an Ethernet, loopback or "any" interface.
                """)
        let damaged = CaptureError(kind: .damaged, what: "cannot read", path: "a.pcap", offset: 40, why: "it is")
        #expect(damaged.description == "kvreel: cannot read: a.pcap, byte 40: it is")
    }
}
