import CaptureFiles
import Etcd
import Foundation
import TestSupport
import Testing
import Wire

@Suite("A real TLS recording, disturbed and cut", .serialized, .enabled(if: Repository.hasCaptures))
struct TLSTests {
    private struct Recording {
        let packets: [RawPacket]
        let keyLog: [UInt8]

        init() throws {
            let folder = try Repository.capture("tls13")
            keyLog = Array(try Data(contentsOf: folder.appending(path: "keys.log")))
            var reader = try CaptureReader(paths: [folder.appending(path: "capture.pcap.zst").path])
            var batch = PacketBatch()
            var packets: [RawPacket] = []
            while try reader.next(into: &batch) {
                for packet in batch.packets {
                    let bytes = Array(batch.storage[packet.bytes])
                    packets.append(try #require(RawPacket(time: packet.time.nanoseconds, bytes)))
                }
            }
            self.packets = packets
        }

        func decoded(_ packets: some Sequence<RawPacket>) -> Decoded { Decoded(packets, keyLog: keyLog) }
    }

    @Test("what loses no byte changes no operation", arguments: DisturbanceLaws.Disturbance.allCases)
    func disturbing(_ disturbance: DisturbanceLaws.Disturbance) throws {
        let recording = try Recording()
        let expected = recording.decoded(recording.packets)
        #expect(expected.operations().count == 1900)
        for seed in seeds(1) {
            let found = recording.decoded(disturbance.apply(to: recording.packets, seed: seed))
            #expect(found.health[.lostBytes] == 0, "seed \(seed)")
            #expect(found.health[.connectionsEncrypted] == 0)
            let difference = difference(found.operations(), expected.operations())
            #expect(difference == nil, "seed \(seed)")
        }
    }

    @Test("lost packets cost what lay in them; nothing is named wrongly", arguments: [0.01, 0.05])
    func dropping(_ share: Double) throws {
        let recording = try Recording()
        let expected = recording.decoded(recording.packets).operations()
        let truth = LossLaws.calls(expected)
        for seed in seeds(1) {
            let loss = LossLaws.Loss(recording.packets, share: share, seed: seed)
            let decoded = recording.decoded(loss.kept)
            let found = decoded.operations()
            #expect(LossLaws.wrongNames(found, truth).first == nil, "seed \(seed)")
            let calls = found.filter(\.isRequest)
            #expect(calls.count <= expected.filter(\.isRequest).count, "seed \(seed)")
            let named = calls.filter { $0.evidence == .seen }.count
            #expect(
                Double(named) >= Double(expected.filter(\.isRequest).count) * (1 - 12 * share), "seed \(seed): \(named)"
            )
            #expect(decoded.health[.lostBytes] == Int64(loss.lostBytes.values.reduce(0, +)))
        }
    }

    @Test("joined midway, connections are found in the key log by trial", arguments: [2000, 4000, 8000])
    func midway(_ first: Int) throws {
        let recording = try Recording()
        let truth = LossLaws.calls(recording.decoded(recording.packets).operations())
        let decoded = recording.decoded(recording.packets.dropFirst(first))
        #expect(LossLaws.wrongNames(decoded.operations(), truth).first == nil)
        #expect(decoded.health[.connectionsMidway] > 10)
        // One may be cut within its handshake.
        #expect(decoded.health[.connectionsEncrypted] <= 1)
        #expect(decoded.operations().count > (recording.packets.count - first) / 12)
    }
}
