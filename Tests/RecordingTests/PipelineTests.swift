import CaptureFiles
import Etcd
import Foundation
import Recording
import TestSupport
import Testing
import Wire

@Suite("The pipeline: batches, and what is said of the recording")
struct PipelineTests {
    @Test(
        "small batches hold the same operations, also those that the end of the capture completes", arguments: [1, 7])
    func smallBatches(operations: Int) throws {
        // Cut in the middle: many calls are open at the end, on many connections.
        let packets = Array(try RealCapture.netcraq.packets().prefix(6000))
        var limits = RecordingLimits()
        limits.batchOperations = operations
        let small = Decoded(packets, limits: limits)
        let large = Decoded(packets)
        #expect(large.batches.count == 1)
        #expect(small.batches.count > 100)
        #expect(small.operations(.everything) == large.operations(.everything))
        #expect(small.health == large.health)
        // Of a batch too many is only what one event completes.
        let most = small.batches.map(\.operations.count).max() ?? 0
        #expect(most < large.batches[0].operations.count / 20)
    }

    @Test("a recording of one direction says which one it lacks", arguments: [true, false])
    func oneDirection(isRequest: Bool) throws {
        let packets = try RealCapture.etcdctl.packets()
        func lacking(_ packets: [RawPacket]) -> Direction? {
            let batch = PacketBatch(packets)
            var pipeline = RecordingPipeline(ports: [UInt16(RawPacket.serverPort)])
            #expect(pipeline.directionWithoutPayload == nil)
            _ = pipeline.receive(batch, from: 0)
            return pipeline.directionWithoutPayload
        }
        #expect(lacking(packets) == nil)
        // The other direction's segments without payload are in every such capture.
        let half = packets.filter { $0.isRequest == isRequest || $0.payload.isEmpty }
        #expect(lacking(half) == (isRequest ? .response : .request))
    }

    @Test("an encrypted connection stays one when its reader is forgotten")
    func encryptedAndForgotten() throws {
        // A record that goes on and on, in the segments of a real recording.
        var flows: Set<Int> = []
        let packets = try RealCapture.netcraq.packets().prefix(8000).map { packet in
            var packet = packet
            if packet.payload.isEmpty { return packet }
            let head: [UInt8] = flows.insert(packet.flow).inserted ? [22, 3, 1, 2, 0, 1] : []
            let noise = (0..<packet.payload.count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 77) }
            packet.payload = Array((head + noise).prefix(packet.payload.count))
            return packet
        }
        var limits = RecordingLimits()
        let kept = Decoded(packets, limits: limits)
        limits.readerBytes = 1
        let forgotten = Decoded(packets, limits: limits)
        #expect(kept.health[.connectionsEncrypted] > 1)
        #expect(forgotten.health[.connectionsEvicted] > kept.health[.connectionsEvicted])
        #expect(forgotten.health[.connectionsEncrypted] == kept.health[.connectionsEncrypted])
        #expect(forgotten.health[.connectionsOther] == kept.health[.connectionsOther])
    }

    @Test("every count of a recording's health has its line in the page of oddities")
    func counters() throws {
        let page = try String(contentsOf: Repository.root.appending(path: "docs/oddities.md"), encoding: .utf8)
        for field in RecordingHealth.Field.allCases {
            let isNamed = page.split(separator: "\n").contains { $0.hasPrefix("| `") && $0.contains("`\(field)`") }
            #expect(isNamed, "\(field)")
        }
    }
}
