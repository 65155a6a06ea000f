import Chains
import Testing
import Wire

@Suite("NetChain with epochs and sessions: the tail reads")
struct NetChainSwitchTests {
    private static func bench(
        _ count: Int = 3, change: (inout ReplicaConfiguration) -> Void = { _ in }
    ) -> NetChainBench {
        var bench = NetChainBench(.ncx, switches: count, change: change)
        bench.form(Array(0..<count))
        return bench
    }

    @Test("a write's list loses a word a node, and the reply has none")
    func lists() {
        var bench = Self.bench(4)
        bench.ask(0, bench.request(.write, value: "a", number: 1))
        for index in 1...3 {
            let packet = bench.take(.chainWrite, to: index)
            #expect(packet?.payload.count == 64 + 4 * (4 - index) + 16)
            if let packet { bench.deliver(packet) }
        }
        #expect(bench.take(.writeReply)?.payload.count == 64)
        // The head is told for CAS; its packet lists it alone.
        #expect(bench.take(.commit)?.payload.count == 68)
    }

    @Test("a list that is not the chain's is refused at the head and dropped behind it")
    func foreignLists() {
        var bench = Self.bench()
        var request = bench.request(.write, value: "a", number: 1)
        request.storeBigEndian32(0x7f00_000d, at: 64 + 8)
        #expect(bench.call(0, request)?.header?.status == .wrongRole)
        bench.ask(0, bench.request(.write, value: "a", number: 1))
        guard var packet = bench.take(.chainWrite) else { return #expect(Bool(false)) }
        packet.bytes.storeBigEndian32(0x7f00_000d, at: 16 + 64 + 4)
        bench.deliver(packet)
        #expect(bench.packets.isEmpty && bench.counters(1).foreign == 1)
    }

    @Test("an older version is not stored, but passed on and answered (NSDI 2018 §4.3 drops it)")
    func olderVersions() {
        var bench = Self.bench()
        bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
        bench.ask(0, bench.request(.write, value: "b", slot: 2, number: 1))
        bench.packets.reverse()
        #expect(bench.settle().map { $0.header?.slot } == [2, 1])
        #expect(bench.counters(1).writesStale == 1 && bench.counters(2).writesStale == 1)
        #expect(bench.call(2, bench.request(.read, number: 3))?.text == "b")
    }

    @Test("CAS is not supported in a group whose head is not told what is committed")
    func withoutCAS() {
        var bench = NetChainBench(.ncx)
        bench.form([0, 1, 2])
        bench.seal([0, 1, 2])
        bench.activate([0, 1, 2], compares: false)
        let cas = bench.call(0, bench.request(.compareAndSet, value: "a", number: 1))
        #expect(cas?.header?.status == .unsupported)
        bench.ask(0, bench.request(.write, value: "a", number: 2))
        for _ in 0..<2 { if let write = bench.take(.chainWrite) { bench.deliver(write) } }
        #expect(bench.take(.commit) == nil && bench.switches[NetChainBench.address(0)]?.nextDeadline == nil)
    }

    @Test("a head that does not know its version to be committed sends it again, and on activation at once")
    func resending() {
        var bench = Self.bench()
        bench.ask(0, bench.request(.write, value: "a", slot: 4, number: 1))
        bench.packets.removeAll()
        bench.advance(0, by: 20_000_000)
        let again = bench.take(.chainWrite)
        #expect(again?.header?.slot == 4 && again?.value == Array("a".utf8))
        if let again { bench.deliver(again) }
        #expect(bench.settle().map { $0.header?.slot } == [4])
        let cas = { (bench: NetChainBench, number: UInt32) in
            bench.request(
                .compareAndSet, value: "b", slot: 5, number: number, expecting: ChainVersion(epoch: 1, number: 1))
        }
        bench.change(to: [0, 1, 2])
        #expect(bench.call(0, cas(bench, 1))?.header?.status == .busy)
        bench.advance(0)
        bench.settle()
        #expect(bench.call(0, cas(bench, 2))?.header?.status == .ok)
    }

    @Test("a write that was committed before a fail-over is so after it; one that was not is finished by its retry")
    func newTail() {
        var bench = Self.bench()
        _ = bench.call(0, bench.request(.write, key: 1, value: "a", number: 1))
        bench.ask(0, bench.request(.write, key: 2, value: "b", number: 2))
        if let write = bench.take(.chainWrite) { bench.deliver(write) }
        bench.packets.removeAll()
        bench.change(to: [0, 1])
        #expect(bench.call(1, bench.request(.read, key: 1, number: 3))?.text == "a")
        let retry = bench.call(0, bench.request(.write, key: 2, value: "b", number: 2))
        #expect(retry?.header?.version == ChainVersion(epoch: 1, number: 1))
        bench.change(to: [1])
        #expect(bench.call(1, bench.request(.read, key: 2, number: 4))?.text == "b")
    }
}
