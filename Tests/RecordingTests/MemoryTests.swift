import CaptureFiles
import Etcd
import Foundation
import Packets
import Recording
import Testing
import Wire

@Suite("Memory of a recording")
struct MemoryTests {
    /// Bytes of the process that are in memory (proc(5), statm: pages).
    static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
    }

    static var packets: Int { ProcessInfo.processInfo.environment["KVREEL_SOAK"] == nil ? 100_000 : 2_000_000 }

    /// What `RecordingLimits` promises, 160 MiB, and a third more: memory that was freed but that the allocator keeps.
    static let boundBytes = 214 << 20

    // In a process of its own, since other tests of this one take memory as well.
    @Test("is bounded, whatever comes in")
    func hostilePackets() async {
        await #expect(processExitsWith: .success) {
            var source = HostilePackets(seed: 1)
            var batch = PacketBatch()
            var pipeline = RecordingPipeline(ports: [UInt16(RawPacket.serverPort)])
            source.fill(&batch, count: 1000)
            let before = MemoryTests.residentBytes()
            #expect(before > 0)
            var peak = 0
            for _ in 0..<MemoryTests.packets / 1000 {
                source.fill(&batch, count: 1000)
                var index = 0
                while index < batch.packets.count {
                    index = pipeline.receive(batch, from: index)
                    if pipeline.isBatchFull { pipeline.takeBatch { _ in } }
                }
                peak = max(peak, MemoryTests.residentBytes())
            }
            #expect(peak - before < MemoryTests.boundBytes, "\((peak - before) >> 20) MiB")
            #expect(pipeline.health[.packets] >= Int64(MemoryTests.packets))
            #expect(pipeline.health[.connectionsEvicted] > 0)
            #expect(pipeline.health[.fragmentsLost] > 0)
        }
    }

    @Test("of the tracker stays within its own limits, by its own count", arguments: seeds(1))
    func tracker(seed: UInt64) {
        var limits = TrackerLimits()
        limits.connections = 3000
        limits.heldBytesTotal = 4 << 20
        limits.heldBytes = 1 << 20
        limits.fragmentBytes = 1 << 18
        var source = HostilePackets(seed: seed)
        var batch = PacketBatch()
        var tracker = ConnectionTracker(ports: [UInt16(RawPacket.serverPort)], limits: limits)
        var events: [StreamEvent] = []
        var mostOpen = 0
        var mostPending = 0
        for _ in 0..<60 {
            source.fill(&batch, count: 1000)
            for packet in batch.packets {
                tracker.receive(
                    batch.storage.span.extracting(packet.bytes), originalLength: packet.originalLength,
                    linkType: packet.linkType, at: packet.time, into: &events)
                events.removeAll(keepingCapacity: true)
                mostOpen = max(mostOpen, tracker.openConnections)
                mostPending = max(mostPending, tracker.pendingBytes)
            }
        }
        #expect(mostOpen == limits.connections)
        // Beside the bytes of fragments: their table, and the datagram that was joined last.
        #expect(mostPending <= limits.heldBytesTotal + limits.fragmentBytes + (1 << 17))
        #expect(mostPending > limits.heldBytesTotal / 4)
    }

    @Test("of a batch is bounded where connections come and go and no operation is seen")
    func batch() {
        var source = HostilePackets(seed: 1)
        var batch = PacketBatch()
        var limits = RecordingLimits()
        limits.batchBytes = 1 << 18
        var pipeline = RecordingPipeline(ports: [UInt16(RawPacket.serverPort)], limits: limits)
        var mostBytes = 0
        for round in 0..<30 {
            source.fill(&batch, count: 1000)
            var index = 0
            while index < batch.packets.count {
                index = pipeline.receive(batch, from: index)
                // The last one as well: it must not be large either.
                guard pipeline.isBatchFull || index == batch.packets.count && round == 29 else { continue }
                pipeline.takeBatch { batch in
                    let connections = batch.connections.count * MemoryLayout<ConnectionRecord>.stride
                    mostBytes = max(mostBytes, batch.byteCount, connections)
                }
            }
        }
        #expect(mostBytes > limits.batchBytes / 2)
        #expect(mostBytes < limits.batchBytes * 2)
    }
}
