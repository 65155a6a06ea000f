import CaptureFiles
import Etcd
import Recording
import TestSupport
import Testing
import Wire

@Suite("A recording in parts")
struct PartsTests {
    /// The batches of each part, where a part ends before each of the packets named.
    private func parts(_ packets: [RawPacket], endingBefore ends: Set<Int>) -> [[OperationBatch]] {
        let batch = PacketBatch(packets)
        var pipeline = RecordingPipeline(ports: [UInt16(RawPacket.serverPort)])
        var parts: [[OperationBatch]] = []
        var index = 0
        for end in ends.sorted() + [packets.count] {
            var batches: [OperationBatch] = []
            while index < end {
                index = pipeline.receive(batch, from: index, to: end)
                if pipeline.isBatchFull { pipeline.takeBatch { batches.append(copy $0) } }
            }
            let isLast = end == packets.count
            if isLast {
                while !pipeline.finish() { pipeline.takeBatch { batches.append(copy $0) } }
            }
            pipeline.takeBatch(endsPart: !isLast) { batches.append(copy $0) }
            parts.append(batches)
        }
        return parts
    }

    @Test("each operation is in one part; parts add up to the whole", arguments: RealCapture.allCases, seeds(3))
    func addUp(_ capture: RealCapture, seed: UInt64) throws {
        let packets = try capture.packets()
        let whole = Decoded(packets)
        var random = SplitMix64(seed: seed)
        let ends = Set((0..<5).map { _ in random.below(packets.count) })
        let parts = parts(packets, endingBefore: ends)
        #expect(parts.count == ends.count + 1)
        var found: [PlainOperation] = []
        var health = RecordingHealth()
        for batches in parts {
            // Reads a part alone: what names nothing in it has the client "?".
            var part = Decoded([])
            part.batches = batches
            found += part.operations(.everything)
            health = health + part.health
        }
        #expect(found == whole.operations(.everything))
        #expect(!found.contains { $0.client == "?" })
        #expect(health == whole.health)
        let middle = parts.dropFirst().dropLast().flatMap { $0 }
        #expect(middle.contains { !$0.operations.isEmpty }, "the cuts say something")
    }

    @Test("the state before a part is that part's own: what the part before wrote existed before it")
    func observedState() throws {
        let packets = try RealCapture.etcdctl.packets()
        let parts = parts(packets, endingBefore: [packets.count / 2])
        func present(_ batches: [OperationBatch]) -> Set<[UInt8]> {
            Set(
                batches.flatMap { batch in
                    batch.observed.filter { $0.kind == .present }.map { batch.keys.string($0.key) }
                })
        }
        var written: Set<[UInt8]> = []
        for batch in parts[0] {
            for operation in batch.operations where operation.kind == .put {
                written.insert(batch.keys.string(operation.key))
            }
        }
        let whole = present(Decoded(packets).batches)
        let known = present(parts[1]).intersection(written)
        #expect(!known.isEmpty)
        #expect(known.intersection(whole).count < known.count)
    }
}
