import Etcd
import TestSupport
import Testing
import Trace
import Wire

@Suite("Reading: damaged and cut traces")
struct DamageLaws {
    private func sample(in folder: TraceFolder) throws -> SampleTrace {
        try SampleTrace(
            in: folder,
            batches: [
                KubernetesBatch.make(seed: 1, operations: 12), AnyBatch.make(seed: 2, operations: 3),
                OperationBatch(), KubernetesBatch.make(seed: 3, operations: 40),
            ])
    }

    @Test("cut at any byte: every whole block is read, and the loss is said")
    func cut() throws {
        let folder = try TraceFolder()
        let sample = try sample(in: folder)
        for length in 1..<sample.bytes.count {
            let path = try folder.write(Array(sample.bytes[..<length]))
            // Within the header or the first block nothing can be read.
            if length < sample.offsets[1] {
                let error = #expect(throws: TraceError.self, "length \(length)") { try ReadTrace(path: path) }
                #expect(error?.kind == .input, "length \(length)")
                continue
            }
            let found = try ReadTrace(path: path)
            let whole = sample.offsets.dropFirst(2).prefix(sample.batches.count).count { $0 <= length }
            try #require(found.batches.count == whole, "length \(length)")
            for (index, batch) in found.batches.enumerated() {
                let difference = difference(batch, sample.batches[index])
                #expect(difference == nil, "length \(length), block \(index): \(difference ?? "")")
            }
            let lastWhole = sample.offsets.last { $0 <= length } ?? 16
            #expect(found.damage.isCutShort, "length \(length)")
            #expect(!found.damage.isWithin, "length \(length)")
            #expect(found.damage.unreadableBytes == Int64(length - lastWhole), "length \(length)")
        }
        let whole = try ReadTrace(path: try folder.write(sample.bytes))
        #expect(whole.damage.isNone)
        #expect(whole.batches.count == sample.batches.count)
        #expect(whole.summary.bytes == Int64(sample.bytes.count))
    }

    @Test("a flipped bit in any byte costs at most the block it is in, and is said", arguments: seeds(1))
    func flippedBit(seed: UInt64) throws {
        let folder = try TraceFolder()
        let sample = try sample(in: folder)
        var random = SplitMix64(seed: seed)
        for place in sample.bytes.indices {
            var bytes = sample.bytes
            bytes[place] ^= 1 << UInt8(random.below(8))
            let found = try ReadTrace(path: try folder.write(bytes))
            let hit = sample.offsets.dropFirst().firstIndex { place < $0 } ?? -1
            var expected = Array(sample.batches.indices)
            if place >= sample.offsets[1], (2...expected.count + 1).contains(hit) { expected.remove(at: hit - 2) }
            try #require(found.batches.count == expected.count, "byte \(place)")
            for (batch, original) in zip(found.batches, expected) {
                let difference = difference(batch, sample.batches[original])
                #expect(difference == nil, "byte \(place), block \(original): \(difference ?? "")")
            }
            #expect(!found.damage.isNone, "byte \(place)")
        }
    }

    @Test("a block that is damaged inside a cut trace is not taken for its end", arguments: 0...3)
    func damagedAndCut(_ block: Int) throws {
        let folder = try TraceFolder()
        let sample = try sample(in: folder)
        // Within the payload of a block, and within the header of the block after it: both before the last whole one.
        for place in [sample.offsets[block] + 60, sample.offsets[block] + 20] {
            var bytes = Array(sample.bytes.dropLast(30))
            bytes[place] ^= 1
            let damage = try ReadTrace(path: try folder.write(bytes)).damage
            #expect(damage.isCutShort && damage.isWithin, "byte \(place)")
            #expect(damage.lostBlocks > damage.blocksAtEnd)
            #expect(damage.bytesAtEnd > 0 && damage.bytesAtEnd < damage.unreadableBytes)
        }
    }

    @Test("a block left out is counted", arguments: 1...4)
    func missingBlock(_ block: Int) throws {
        let folder = try TraceFolder()
        let sample = try sample(in: folder)
        var bytes = sample.bytes
        bytes.removeSubrange(sample.offsets[block]..<sample.offsets[block + 1])
        let found = try ReadTrace(path: try folder.write(bytes))
        #expect(found.damage.lostBlocks == 1)
        #expect(found.batches.count == sample.batches.count - 1)
    }

    @Test("garbage between blocks is passed over", arguments: seeds(1, 2, 3))
    func garbage(seed: UInt64) throws {
        let folder = try TraceFolder()
        let sample = try sample(in: folder)
        var random = SplitMix64(seed: seed)
        var bytes = sample.bytes
        let magic: [UInt8] = [0xab, 0x4b, 0x56, 0x52, 0x42, 0x4c, 0x4b, 0xbb]
        let garbage = magic + (0..<1000).map { _ in UInt8(truncatingIfNeeded: random.next()) } + magic.prefix(7)
        bytes.insert(contentsOf: garbage, at: sample.offsets[3])
        let found = try ReadTrace(path: try folder.write(bytes))
        #expect(found.batches.count == sample.batches.count)
        #expect(found.damage.unreadableBytes == Int64(garbage.count))
        #expect(found.damage.lostBlocks == 0)
    }
}
