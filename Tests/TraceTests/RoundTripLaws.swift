import Etcd
import TestSupport
import Testing
import Trace
import Wire

@Suite("Blocks: what is encoded comes back in every field")
struct RoundTripLaws {
    @Test("any batch", arguments: seeds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
    func anyBatch(seed: UInt64) {
        var encoder = BlockEncoder()
        var decoder = BlockDecoder()
        var found = OperationBatch()
        for size in [0, 1, 2, 10, 100, 1000] {
            let batch = AnyBatch.make(seed: seed &* 1000 &+ UInt64(size), operations: size)
            var bytes: [UInt8] = []
            #expect(encoder.encode(batch, number: 7, into: &bytes))
            #expect(decoder.decode(block: bytes, into: &found))
            let difference = difference(found, batch)
            #expect(difference == nil, "size \(size): \(difference ?? "")")
        }
    }

    @Test("a batch shaped like Kubernetes' traffic, at every level", arguments: [Int32(0), 1, 5, 19])
    func kubernetes(level: Int32) {
        var encoder = BlockEncoder(level: level)
        var decoder = BlockDecoder()
        let batch = KubernetesBatch.make(seed: 11, operations: 20_000)
        var bytes: [UInt8] = []
        #expect(encoder.encode(batch, number: 0, into: &bytes))
        var found = OperationBatch()
        #expect(decoder.decode(block: bytes, into: &found))
        let difference = difference(found, batch)
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test("the same batch gives the same bytes, whatever was encoded before")
    func deterministic() {
        let batch = KubernetesBatch.make(seed: 12, operations: 500)
        var fresh = BlockEncoder()
        var used = BlockEncoder()
        var left: [UInt8] = []
        var right: [UInt8] = []
        #expect(used.encode(AnyBatch.make(seed: 1, operations: 300), number: 0, into: &left))
        left.removeAll()
        #expect(fresh.encode(batch, number: 1, into: &left))
        #expect(used.encode(batch, number: 1, into: &right))
        #expect(left == right)
    }
}
