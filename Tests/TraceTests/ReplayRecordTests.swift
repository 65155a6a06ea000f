import Etcd
import Foundation
import TestSupport
import Testing
import Trace
import Wire

@Suite("Replay records: what a replay knows beyond a recording")
struct ReplayRecordTests {
    /// A replay that keeps its times: 3 µs to 30 µs of send lag, some waits, calls that end nearly in their order.
    private func replay(operations count: Int) -> OperationBatch {
        var batch = KubernetesBatch.make(seed: 21, operations: count)
        var random = SplitMix64(seed: 22)
        for place in batch.operations.indices {
            var record = ReplayRecord()
            record.released = 3000 + Int64(random.below(27_000))
            record.intended = record.released + (random.chance(0.1) ? Int64(random.below(2_000_000)) : 0)
            record.call = UInt32(place ^ (random.chance(0.2) ? 3 : 0))
            record.difference = random.chance(0.001) ? 2 : 0
            batch.replays.append(record)
        }
        return batch
    }

    /// A block that is not compressed: its payload begins at byte 56.
    private func block(_ batch: OperationBatch) -> [UInt8] {
        var encoder = BlockEncoder(level: 0)
        var bytes: [UInt8] = []
        #expect(encoder.encode(batch, number: 0, into: &bytes))
        return bytes
    }

    private func decoded(_ block: [UInt8]) -> OperationBatch? {
        var decoder = BlockDecoder()
        var batch = OperationBatch()
        return decoder.decode(block: block, into: &batch) ? batch : nil
    }

    /// The block with each column's bytes, header and all, changed or taken out.
    private func editing(_ block: [UInt8], _ edit: (Int, [UInt8]) -> [UInt8]) -> [UInt8] {
        var payload: [UInt8] = []
        var place = 56
        func varint() -> Int {
            var value = 0
            for shift in stride(from: 0, to: 63, by: 7) {
                value |= Int(block[place] & 0x7f) << shift
                place += 1
                if block[place - 1] < 0x80 { break }
            }
            return value
        }
        while place < block.count {
            let start = place
            let column = varint()
            place += 1
            _ = varint()
            place += varint()
            payload += edit(column, Array(block[start..<place]))
        }
        return HandmadeBlock.replacingPayload(of: block, by: payload)
    }

    @Test("records of a usual replay come back, and cost less than 4 bytes an operation")
    func usual() {
        let batch = replay(operations: 20_000)
        var recording = batch
        recording.replays = []
        var encoder = BlockEncoder()
        var plain: [UInt8] = []
        var bytes: [UInt8] = []
        #expect(encoder.encode(recording, number: 0, into: &plain))
        #expect(encoder.encode(batch, number: 0, into: &bytes))
        #expect(bytes.count - plain.count < 4 * 20_000, "\(bytes.count - plain.count) bytes")
        let found = decoded(bytes)
        #expect(found?.replays == batch.replays)
    }

    @Test("records whose fields are all 0 are there too")
    func zeros() {
        var batch = KubernetesBatch.make(seed: 2, operations: 9)
        batch.replays = Array(repeating: ReplayRecord(), count: batch.operations.count)
        #expect(decoded(block(batch))?.replays == batch.replays)
    }

    @Test("for who passes over the new columns, a replay is a trace like any other")
    func older() throws {
        let batch = replay(operations: 60)
        var recording = batch
        recording.replays = []
        let old = editing(block(batch)) { $0 >= 168 ? [] : $1 }
        #expect(old == HandmadeBlock.replacingPayload(of: block(recording), by: Array(block(recording)[56...])))
        let found = try #require(decoded(old))
        #expect(difference(found, recording) == nil)
    }

    @Test("a recording after a replay has no records, for writer and reader")
    func usedAgain() {
        var encoder = BlockEncoder(level: 0)
        var decoder = BlockDecoder()
        var found = OperationBatch()
        var bytes: [UInt8] = []
        #expect(encoder.encode(replay(operations: 30), number: 0, into: &bytes))
        #expect(decoder.decode(block: bytes, into: &found))
        #expect(found.replays.count == found.operations.count)
        bytes.removeAll()
        #expect(encoder.encode(KubernetesBatch.make(seed: 3, operations: 30), number: 0, into: &bytes))
        #expect(decoder.decode(block: bytes, into: &found))
        #expect(found.replays.isEmpty)
    }

    @Test("a number of records that is not the number of operations is refused", arguments: [-29, -1, 1, 60])
    func wrongCount(_ excess: Int) {
        let batch = replay(operations: 30)
        let whole = block(batch)
        #expect(decoded(editing(whole) { $1 }) != nil)
        // Column 168 is a constant, and the last of its bytes the number.
        let count = UInt8(batch.operations.count + excess)
        #expect(decoded(editing(whole) { $0 == 168 ? $1.dropLast() + [count] : $1 }) == nil)
    }

    @Test("records without their number are refused")
    func missingCount() {
        #expect(decoded(editing(block(replay(operations: 30))) { $0 == 168 ? [] : $1 }) == nil)
    }

    @Test(
        "a call, a loop or a reason beyond its type is refused",
        arguments: [
            (171, [0xff, 0xff, 0xff, 0xff, 0x10]), (172, [0x80, 0x80, 0x80, 0x80, 0x10]), (173, [0x80, 0x10]),
            (173, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] as [(Int, [UInt8])])
    func beyondType(column: Int, number: [UInt8]) {
        var batch = replay(operations: 30)
        for place in batch.replays.indices {
            batch.replays[place].loop = 1
            batch.replays[place].difference = 1
        }
        let whole = block(batch)
        let header = [UInt8(column & 0x7f | 0x80), UInt8(column >> 7), 1, UInt8(batch.operations.count)]
        #expect(decoded(editing(whole) { $0 == column ? header + [1, 1] : $1 }) != nil)
        #expect(decoded(editing(whole) { $0 == column ? header + [UInt8(number.count)] + number : $1 }) == nil)
    }

    @Test("a batch with records for some of its operations is not written")
    func partial() async {
        await #expect(processExitsWith: .failure) {
            var batch = KubernetesBatch.make(seed: 2, operations: 9)
            batch.replays = [ReplayRecord()]
            var encoder = BlockEncoder(level: 0)
            var bytes: [UInt8] = []
            _ = encoder.encode(batch, number: 0, into: &bytes)
        }
    }
}
