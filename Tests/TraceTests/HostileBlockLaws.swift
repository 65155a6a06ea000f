import Etcd
import TestSupport
import Testing
import Trace
import Wire

@Suite("Decoding: payloads that a checksum does not protect")
struct HostileBlockLaws {
    /// Twenty thousand in all, over ten seeds.
    @Test(
        "a changed payload is refused, or is a batch whose numbers lie within its arrays",
        arguments: seeds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
    func mutations(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var encoder = BlockEncoder(level: 0)
        var decoder = BlockDecoder()
        var batch = OperationBatch()
        var refused = 0
        for round in 0..<2000 {
            let original =
                round % 2 == 0
                ? KubernetesBatch.make(seed: random.next(), operations: 12)
                : AnyBatch.make(seed: random.next(), operations: 6)
            var block: [UInt8] = []
            #expect(encoder.encode(original, number: 0, into: &block))
            var payload = Array(block[56...])
            for _ in 0...random.below(4) { change(&payload, with: &random) }
            let changed = HandmadeBlock.replacingPayload(of: block, by: payload)
            guard decoder.decode(block: changed, into: &batch) else {
                refused += 1
                #expect(batch.operations.isEmpty && batch.keyValues.isEmpty && batch.keys.count == 0)
                continue
            }
            // An encoder takes only what is whole: it stops the program otherwise.
            var again: [UInt8] = []
            #expect(encoder.encode(batch, number: 0, into: &again))
        }
        #expect(refused > 500 && refused < 2000)
    }

    private func change(_ payload: inout [UInt8], with random: inout SplitMix64) {
        if payload.isEmpty { return }
        // The first bytes hold the counts: worth trying more often.
        let place =
            random.chance(0.2) ? random.below(min(40, payload.count)) : random.below(payload.count)
        switch random.below(6) {
        case 0: payload[place] ^= 1 << UInt8(random.below(8))
        case 1: payload[place] = UInt8(truncatingIfNeeded: random.next())
        case 2: payload[place] = 0xff
        case 3: payload.remove(at: place)
        case 4: payload.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        default: payload.removeLast(min(payload.count, random.below(20)))
        }
    }

    @Test("a block that claims a hundred million records is refused before they are made")
    func manyRecords() {
        var decoder = BlockDecoder()
        var batch = OperationBatch()
        // counts: constant 100 000 000, fourteen times.
        let payload: [UInt8] = [0, 1, 14, 4, 0x80, 0xc2, 0xd7, 0x2f]
        let block = HandmadeBlock.make(type: 2, number: 0, records: 100_000_000, payload: payload)
        #expect(!decoder.decode(block: block, into: &batch))
    }

    enum Kind: CaseIterable { case parts, compares, keyValues, events }

    @Test("slices that name records twice are refused: following them could take for ever", arguments: Kind.allCases)
    func overlappingSlices(_ kind: Kind) {
        var original = OperationBatch()
        for _ in 0..<3 {
            original.parts.append(RequestOp())
            original.compares.append(Compare())
            original.keyValues.append(KeyValueRecord())
        }
        for number in 0..<2 {
            var operation = Operation(
                time: CaptureTime(nanoseconds: Int64(number)), connection: 1, stream: 1, role: .call, kind: .txn,
                evidence: .seen, method: .unknown)
            operation.body.kind = .txn
            let slice = Slice(start: 0, count: 2)
            switch kind {
            case .parts: operation.parts = slice
            case .compares: operation.body.compares = slice
            case .keyValues: operation.body.keyValues = slice
            case .events: operation.events = slice
            }
            original.operations.append(operation)
        }
        var encoder = BlockEncoder(level: 0)
        var decoder = BlockDecoder()
        var batch = OperationBatch()
        var block: [UInt8] = []
        #expect(encoder.encode(original, number: 0, into: &block))
        #expect(!decoder.decode(block: block, into: &batch))
        original.operations.removeLast()
        block.removeAll()
        #expect(encoder.encode(original, number: 0, into: &block))
        #expect(decoder.decode(block: block, into: &batch))
    }

    @Test("an index that names more blocks than came before it is refused before its entries are made")
    func manyEntries() throws {
        // A column that is not there is of zeros: 56 bytes would become 160 MB.
        let index = HandmadeBlock.make(type: 3, number: 0, records: 4_000_000, payload: [])
        let reader = try TraceReader(bytes: HandmadeBlock.fileHeader + index, name: "index")
        var batch = OperationBatch()
        #expect(try !reader.next(into: &batch))
        #expect(reader.damage.lostBlocks == 1)
        #expect(reader.summary.blocks == 0)
    }

    @Test("random bytes are no block", arguments: seeds(1))
    func randomBytes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var decoder = BlockDecoder()
        var batch = OperationBatch()
        for _ in 0..<2000 {
            let payload = (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let block = HandmadeBlock.make(type: 2, number: 0, records: 1, payload: payload)
            #expect(!decoder.decode(block: block, into: &batch))
        }
    }
}
