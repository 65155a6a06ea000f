import Etcd
import Testing
import Trace

@Suite("Reading: what later versions may add")
struct CompatibilityTests {
    private let batch = KubernetesBatch.make(seed: 5, operations: 20)

    private func block(_ batch: OperationBatch, number: UInt32) -> [UInt8] {
        var encoder = BlockEncoder(level: 0)
        var bytes: [UInt8] = []
        #expect(encoder.encode(batch, number: number, into: &bytes))
        return bytes
    }

    @Test("an unknown block type is passed over")
    func unknownBlock() throws {
        let folder = try TraceFolder()
        let strange = HandmadeBlock.make(type: 200, number: 0, payload: [1, 2, 3])
        let found = try ReadTrace(
            path: try folder.write(HandmadeBlock.fileHeader + strange + block(batch, number: 1)))
        #expect(found.batches.count == 1)
        #expect(found.damage.lostBlocks == 0 && found.damage.unreadableBytes == 0)
    }

    @Test("an unknown column is passed over, whatever its encoding", arguments: [UInt8(0), 1, 99])
    func unknownColumn(encoding: UInt8) {
        let original = block(batch, number: 0)
        // Column 4000, three numbers, two bytes.
        let payload = Array(original[56...]) + [0xa0, 0x1f, encoding, 3, 2, 1, 1]
        var decoder = BlockDecoder()
        var found = OperationBatch()
        let changed = HandmadeBlock.replacingPayload(of: original, by: payload)
        #expect(decoder.decode(block: changed, into: &found))
        #expect(difference(found, batch) == nil)
    }

    @Test("operations in a newer layout are counted, and older ones still read")
    func newerBlock() throws {
        let folder = try TraceFolder()
        let newer = HandmadeBlock.make(type: 2, version: 2, number: 0, records: 5, payload: [1, 2, 3])
        let found = try ReadTrace(path: try folder.write(HandmadeBlock.fileHeader + newer + block(batch, number: 1)))
        #expect(found.batches.count == 1)
        #expect(found.damage.newerBlocks == 1)
    }

    @Test("a file of a newer format is refused, and the error says so")
    func newerFile() throws {
        let folder = try TraceFolder()
        let header = HandmadeBlock.withChecksum([0x4b, 0x56, 0x52, 0x45, 0x45, 0x4c, 0x0d, 0x0a, 2, 0, 0, 0])
        let path = try folder.write(header + block(batch, number: 0))
        let error = #expect(throws: TraceError.self) { try ReadTrace(path: path) }
        #expect(error?.kind == .input)
        #expect(error?.why == "it has format version 2, and this program reads up to 1")
    }
}
