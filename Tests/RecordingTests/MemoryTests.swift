import CaptureFiles
import Etcd
import Foundation
import Packets
import Recording
import TestSupport
import Testing
import Wire

@Suite("Memory of a recording")
struct MemoryTests {
    /// Bytes of the process that are in memory (proc(5), statm: pages).
    static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
    }

    static var packets: Int { isSoak ? 2_000_000 : 100_000 }

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

    // Each in a process of its own, and each once took gigabytes or minutes.

    @Test("is bounded when frame boundaries prove wrong again and again in segments above the MTU")
    func oversizedSegments() async {
        await #expect(processExitsWith: .success) {
            let recording = try CraftedRecording(isFromStart: false)
            // PING, and DATA whose padding is longer than it.
            let unit = Crafted.frame(6, 0, 0, [2, 4, 16, 16, 9, 14, 7, 7]) + Crafted.frame(0, 8, 1, [0xff])
            let segment = Array(repeatElement(unit, count: 17_000).joined())
            for _ in 0..<8 { try recording.send(.request, segment, segment: segment.count) }
            try recording.finish()
            #expect(recording.peakBytes < 64 << 20, "\(recording.peakBytes >> 20) MiB")
            #expect(recording.health[.connectionErrors] > 8 * 16_900)
        }
    }

    @Test("is bounded when only one side is heard", arguments: [Direction.request, .response])
    func oneSide(_ direction: Direction) async {
        switch direction {
        case .request:
            await #expect(processExitsWith: .success) {
                let recording = try CraftedRecording()
                recording.step = 100_000
                try recording.send(.request, Crafted.preface)
                for call in 0..<60_000 {
                    let put =
                        Crafted.field(1, Crafted.key(call, bytes: 100))
                        + Crafted.field(2, [UInt8](repeating: 1, count: 1000))
                    try recording.send(
                        .request,
                        Crafted.request("/etcdserverpb.KV/Put", stream: 2 * call + 1)
                            + Crafted.message(put, stream: 2 * call + 1, ends: true))
                }
                try recording.finish()
                #expect(recording.peakBytes < MemoryTests.boundBytes, "\(recording.peakBytes >> 20) MiB")
                #expect(recording.operations == 60_000)
            }
        case .response:
            await #expect(processExitsWith: .success) {
                let recording = try CraftedRecording(isFromStart: false)
                recording.step = 50_000
                try recording.send(.response, Crafted.frame(4, 0, 0, []))
                let answer = Crafted.field(1, Crafted.field(3, 100))
                for call in 0..<200_000 {
                    let stream = 2 * call + 1
                    try recording.send(
                        .response,
                        Crafted.answer(stream: stream) + Crafted.message(answer, stream: stream, ends: false)
                            + Crafted.trailers(stream: stream))
                }
                try recording.finish()
                #expect(recording.peakBytes < MemoryTests.boundBytes, "\(recording.peakBytes >> 20) MiB")
                #expect(recording.operations > 199_000)
            }
        }
    }

    @Test("is bounded when unanswered calls have large keys")
    func largeKeys() async {
        await #expect(processExitsWith: .success) {
            let recording = try CraftedRecording()
            try recording.send(.request, Crafted.preface)
            for call in 0..<4000 {
                let put = Crafted.field(1, Crafted.key(call, bytes: 50_000))
                try recording.send(
                    .request,
                    Crafted.request("/etcdserverpb.KV/Put", stream: 2 * call + 1)
                        + Crafted.message(put, stream: 2 * call + 1, ends: true))
            }
            try recording.finish()
            #expect(recording.peakBytes < MemoryTests.boundBytes, "\(recording.peakBytes >> 20) MiB")
            #expect(recording.operations == 4000)
        }
    }

    @Test("is bounded when ranges with huge ends are deleted")
    func hugeRanges() async {
        await #expect(processExitsWith: .success) {
            let recording = try CraftedRecording()
            try recording.send(.request, Crafted.preface)
            for call in 0..<6 {
                let stream = 2 * call + 1
                let delete =
                    Crafted.field(1, Crafted.key(call, bytes: 7_000_000))
                    + Crafted.field(2, [UInt8(ascii: "z")] + Crafted.key(call, bytes: 7_000_000))
                try recording.send(
                    .request,
                    Crafted.request("/etcdserverpb.KV/DeleteRange", stream: stream)
                        + Crafted.message(delete, stream: stream, ends: true))
                try recording.send(.response, Crafted.answer(stream: stream) + Crafted.trailers(stream: stream))
            }
            try recording.finish()
            #expect(recording.peakBytes < MemoryTests.boundBytes, "\(recording.peakBytes >> 20) MiB")
            #expect(recording.operations == 6)
        }
    }

    @Test("is bounded when the end of the capture completes very many answers")
    func deferredAnswers() async {
        await #expect(processExitsWith: .success) {
            let recording = try CraftedRecording()
            try recording.send(.request, Crafted.preface)
            // Empty messages of watches that nobody has asked for yet.
            let answers = Crafted.frame(0, 0, 1, [UInt8](repeating: 0, count: 16_000))
            for call in 0..<20 {
                let stream = 2 * call + 1
                try recording.send(.request, Crafted.request("/etcdserverpb.Watch/Watch", stream: stream))
                try recording.send(.response, Crafted.answer(stream: stream))
                for _ in 0..<60 {
                    try recording.send(.response, answers.replacingStream(by: stream))
                }
            }
            try recording.finish()
            #expect(recording.operations == 20 + 20 * 60 * 3200)
            #expect(recording.peakBytes < MemoryTests.boundBytes, "\(recording.peakBytes >> 20) MiB")
        }
    }

    @Test("stays flat while connections come and go, over parts, for as long as one likes")
    func connectionsComeAndGo() async {
        await #expect(processExitsWith: .success) {
            let packets = try RealCapture.etcdctl.packets()
            let length = (packets.last?.time ?? 0) - (packets.first?.time ?? 0) + 1_000_000_000
            let rounds = isSoak ? 20_000 : 400
            var batch = PacketBatch(packets)
            var pipeline = RecordingPipeline(ports: [UInt16(RawPacket.serverPort)])
            var settled = 0
            for round in 0..<rounds {
                let decoded = pipeline.receive(batch, from: 0)
                #expect(decoded == batch.packets.count)
                pipeline.takeBatch(endsPart: round % 8 == 7) { _ in }
                for index in batch.packets.indices { batch.packets[index].time.nanoseconds += length }
                if round == rounds / 4 { settled = MemoryTests.residentBytes() }
            }
            let growth = MemoryTests.residentBytes() - settled
            #expect(growth < 4 << 20, "\(growth >> 10) KiB")
            let connections = Int(pipeline.health[.connections])
            #expect(connections >= rounds * 10, "\(connections)")
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

extension [UInt8] {
    /// A frame, on another stream (below 256).
    fileprivate func replacingStream(by stream: Int) -> [UInt8] {
        var frame = self
        frame[8] = UInt8(stream)
        return frame
    }
}
