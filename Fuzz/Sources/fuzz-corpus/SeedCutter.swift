import CaptureFiles
import Foundation
import FuzzLaws
import Wire

/// Makes seeds of captures, and writes each to the folder of its target.
struct SeedCutter {
    /// Bytes of a seed, about: enough for a few calls, few enough that libFuzzer tries thousands a second.
    static let seedBytes = 1500

    let folder: URL
    /// Seeds a target and capture.
    let most: Int
    private var name = ""
    private var written: [String: Int] = [:]

    init(folder: URL, most: Int) {
        self.folder = folder
        self.most = most
    }

    mutating func cut(_ path: String) throws {
        let file = URL(filePath: path)
        name = String(file.lastPathComponent.prefix { $0 != "." })
        written = [:]
        let packets = try Self.packets(of: path)
        let keyLog = file.deletingLastPathComponent().appending(path: "keys.log")
        if FileManager.default.fileExists(atPath: keyLog.path()) {
            return try cutEncrypted(packets, keyLog)
        }
        try cutPackets(packets)
        var streams = StreamSeeds()
        streams.read(packets)
        for seed in spread(streams.http2) { try write(seed, to: "http2") }
        for seed in spread(streams.etcd) { try write(seed, to: "etcd") }
        try TraceSeeds.make(of: packets, most: most) { try write($0, to: "trace") }
    }

    /// Seeds of what does not depend on a capture.
    mutating func cutNothing() throws {
        name = "peer"
        written = [:]
        for seed in TLSSeeds.ofPeer { try write(seed, to: "tls-records", most: TLSSeeds.ofPeer.count) }
        name = "golden"
        for seed in ChainSeeds.all { try write(seed, to: "chains-paper", most: ChainSeeds.all.count) }
        for seed in ReplicaSeeds.all { try write(seed, to: "chains", most: ReplicaSeeds.all.count) }
        for seed in HistorySeeds.all { try write(seed, to: "history", most: HistorySeeds.all.count) }
        for seed in ControlSeeds.all { try write(seed, to: "control", most: ControlSeeds.all.count) }
    }

    /// Other targets say little of a capture that is encrypted.
    private mutating func cutEncrypted(_ packets: [Packet], _ keyLog: URL) throws {
        name = "encrypted"
        var streams = try TLSSeeds(keyLog: keyLog)
        streams.read(packets)
        for seed in spread(streams.inputs) { try write(seed, to: "tls-records") }
    }

    /// A packet with its bytes.
    struct Packet {
        var time: CaptureTime
        var linkType: LinkType
        var bytes: [UInt8]
    }

    /// So many packets of a capture are cut; more say little new.
    private static let packetsMost = 20_000

    private static func packets(of path: String) throws -> [Packet] {
        var packets: [Packet] = []
        var reader = try CaptureReader(paths: [path])
        var batch = PacketBatch()
        while packets.count < packetsMost, try reader.next(into: &batch) {
            for packet in batch.packets {
                packets.append(
                    Packet(
                        time: packet.time, linkType: packet.linkType, bytes: Array(batch.storage[packet.bytes])))
            }
        }
        return packets
    }

    /// Runs of packets as capture files and as what the connection tracker takes.
    private mutating func cutPackets(_ packets: [Packet]) throws {
        var run: [Packet] = []
        var byteCount = 0
        for packet in packets where wants("packets") || wants("pipeline") {
            run.append(packet)
            byteCount += packet.bytes.count
            if byteCount < Self.seedBytes { continue }
            let isPcapng = written["capture-file", default: 0] % 2 == 1
            try write(isPcapng ? CaptureSeed.pcapng(run) : CaptureSeed.pcap(run), to: "capture-file")
            var input = PacketInput(hasSmallLimits: written["packets", default: 0] % 4 == 3)
            for packet in run { input.append(packet.bytes, linkType: packet.linkType) }
            try write(input.bytes, to: "packets")
            // The pipeline needs longer runs for whole calls.
            if byteCount < Self.seedBytes * 3 { continue }
            try write(CaptureSeed.pcap(run), to: "pipeline")
            run = []
            byteCount = 0
        }
    }

    /// As many of them as are wanted, from the first to the last.
    private func spread(_ seeds: [[UInt8]]) -> [[UInt8]] {
        seeds.count <= most ? seeds : (0..<most).map { seeds[$0 * seeds.count / most] }
    }

    private func wants(_ target: String) -> Bool { written[target, default: 0] < most }

    private mutating func write(_ seed: [UInt8], to target: String, most: Int? = nil) throws {
        guard written[target, default: 0] < most ?? self.most else { return }
        let place = folder.appending(path: target)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let number = written[target, default: 0]
        try Data(seed).write(to: place.appending(path: "\(name)-\(number)"))
        written[target] = number + 1
    }
}
