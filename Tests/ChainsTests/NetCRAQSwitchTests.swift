import Chains
import Testing
import Wire

@Suite("NetCRAQ with versions: every node reads")
struct NetCRAQSwitchTests {
    private static let v1 = ChainVersion(epoch: 1, number: 1)
    private static let v2 = ChainVersion(epoch: 1, number: 2)

    private static func bench(
        _ count: Int = 3, change: (inout ReplicaConfiguration) -> Void = { _ in }
    ) -> NetCRAQBench {
        var bench = NetCRAQBench(.cqx, switches: count, change: change)
        bench.form(Array(0..<count))
        return bench
    }

    @Test("every node answers reads of a clean key")
    func cleanReads() {
        var bench = Self.bench()
        _ = bench.call(0, bench.request(.write, value: "a", number: 1))
        for index in 0..<3 {
            let read = bench.call(index, bench.request(.read, number: 2))
            #expect(read?.text == "a" && read?.from == NetCRAQBench.address(index))
        }
    }

    @Test("a write passes every node, and its COMMITs go to all but the tail")
    func packetsOfAWrite() {
        var bench = Self.bench(4)
        bench.ask(0, bench.request(.write, value: "a", number: 1))
        var operations: [ChainOperation] = []
        while let packet = bench.packets.first {
            operations.append(packet.header?.operation ?? .hello)
            bench.packets.removeFirst()
            if packet.road == .fabric { bench.deliver(packet) }
        }
        #expect(operations == [.chainWrite, .chainWrite, .chainWrite, .commit, .commit, .commit, .writeReply])
    }

    @Test("a node with an uncommitted version sends the read on; the tail answers, and repairs a lost COMMIT")
    func dirtyReads() {
        var bench = Self.bench()
        bench.ask(0, bench.request(.write, value: "a", number: 1))
        for _ in 0..<2 { if let write = bench.take(.chainWrite) { bench.deliver(write) } }
        bench.packets.removeAll()
        bench.ask(0, bench.request(.read, slot: 7, number: 3))
        let question = bench.take(.tailRead)
        #expect(question?.destination.address == NetCRAQBench.address(2) && question?.header?.aux.number == 0)
        if let question { bench.deliver(question) }
        let reply = bench.take(.readReply)
        #expect(reply?.text == "a" && reply?.header?.slot == 7 && reply?.header?.request == 3)
        bench.settle()
        #expect(bench.counters(0).readsDirty == 1)
        #expect(bench.call(0, bench.request(.read, number: 4))?.from == NetCRAQBench.address(0))
        #expect(bench.counters(0).readsClean == 1)
    }

    @Test("with version queries the asking node answers with what the tail had committed")
    func versionQueries() {
        var bench = Self.bench { $0.asksForVersions = true }
        bench.ask(0, bench.request(.write, value: "a", number: 1))
        for _ in 0..<2 { if let write = bench.take(.chainWrite) { bench.deliver(write) } }
        bench.packets.removeAll()
        bench.ask(0, bench.request(.write, value: "b", number: 2))
        bench.packets.removeAll()
        bench.ask(0, bench.request(.read, number: 3))
        let question = bench.take(.versionQuery)
        #expect(question?.payload.count == 48)
        if let question { bench.deliver(question) }
        let answer = bench.take(.versionReply)
        #expect(answer?.header?.version == Self.v1 && answer?.payload.count == 48)
        if let answer { bench.deliver(answer) }
        let reply = bench.take(.readReply)
        #expect(reply?.text == "a" && reply?.from == NetCRAQBench.address(0))
    }

    @Test("a key has N - 1 uncommitted versions; one more write is refused, and the next after a COMMIT is not")
    func overflow() {
        for versions in [2, 3, 8] {
            var bench = Self.bench { $0.versions = versions }
            for number in 1..<UInt32(versions) {
                bench.ask(0, bench.request(.write, value: "v", slot: number, number: 1))
            }
            let held = bench.packets
            bench.packets.removeAll()
            let refused = bench.call(0, bench.request(.write, value: "w", slot: 99, number: 1))
            #expect(refused?.header?.status == .outOfVersions && bench.counters(0).versionOverflows == 1)
            bench.packets = held
            #expect(bench.settle().filter { $0.header?.status == .ok }.count == versions - 1)
            #expect(bench.call(0, bench.request(.write, value: "w", slot: 99, number: 2))?.header?.status == .ok)
        }
    }

    @Test("an older COMMIT neither lowers the committed version nor drops newer ones")
    func lateCommits() {
        var bench = Self.bench()
        bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
        bench.ask(0, bench.request(.write, value: "b", slot: 2, number: 1))
        var commits: [BenchPacket] = []
        while let packet = bench.packets.first {
            bench.packets.removeFirst()
            if packet.header?.operation == .commit, packet.destination.address == NetCRAQBench.address(0) {
                commits.append(packet)
            } else if packet.road == .fabric {
                bench.deliver(packet)
            }
        }
        #expect(commits.map { $0.header?.version } == [Self.v1, Self.v2])
        bench.deliver(commits[0])
        // b is committed and not known to be here.
        #expect(bench.call(0, bench.request(.read, number: 9))?.text == "b")
        bench.deliver(commits[1])
        bench.deliver(commits[0])
        #expect(bench.call(0, bench.request(.read, number: 9))?.text == "b")
        #expect(bench.counters(0).readsClean == 1)
    }

    @Test("a node learns from the next write what is committed")
    func commitByWrite() {
        var bench = Self.bench()
        bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
        while let write = bench.take(.chainWrite) { bench.deliver(write) }
        // The head gets its COMMIT, the middle none.
        if let commit = bench.take(.commit, to: 0) { bench.deliver(commit) }
        bench.packets.removeAll()
        bench.ask(0, bench.request(.write, value: "b", slot: 1, number: 2))
        let write = bench.take(.chainWrite)
        #expect(write?.header?.aux == Self.v1)
        if let write { bench.deliver(write) }
        bench.packets.removeAll()
        // Cells: a committed, b not. Another write does not overflow two cells of which one is b's.
        bench.ask(1, bench.request(.read, number: 5))
        #expect(bench.packets.first?.header?.operation == .tailRead)
    }

    @Test("writes that overtake each other leave every node with the later one")
    func overtaking() {
        var bench = Self.bench()
        bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
        bench.ask(0, bench.request(.write, value: "b", slot: 2, number: 1))
        bench.packets.reverse()
        let replies = bench.settle()
        #expect(replies.map { $0.header?.version } == [Self.v2, Self.v1])
        for index in 0..<3 { #expect(bench.call(index, bench.request(.read, number: 9))?.text == "b") }
    }

    @Test("the head sends again, every 20 ms and no more at a time than the limit, what is not committed")
    func resending() {
        var bench = Self.bench { $0.limits.resendsPerAdvance = 2 }
        bench.ask(0, bench.request(.write, key: 1, value: "a", slot: 1, number: 1))
        bench.ask(0, bench.request(.write, key: 1, value: "b", slot: 2, number: 1))
        bench.ask(0, bench.request(.write, key: 2, value: "c", slot: 3, number: 1))
        bench.packets.removeAll()
        #expect(bench.switches[NetCRAQBench.address(0)]?.nextDeadline == bench.now + 20_000_000)
        bench.advance(0, by: 19_999_999)
        #expect(bench.packets.isEmpty)
        bench.advance(0, by: 1)
        #expect(bench.packets.map { $0.header?.slot } == [1, 2])
        bench.advance(0)
        #expect(bench.packets.map { $0.header?.slot } == [1, 2, 3])
        bench.advance(0)
        #expect(bench.packets.count == 3)
        let replies = bench.settle()
        #expect(replies.map { $0.header?.slot } == [1, 2, 3])
        #expect(replies.allSatisfy { $0.destination == NetCRAQBench.client })
        // Nothing is left to send: a round finds that out, and then nothing is due any more.
        bench.advance(0, by: 20_000_000)
        bench.advance(0)
        #expect(bench.packets.isEmpty && bench.switches[NetCRAQBench.address(0)]?.nextDeadline == nil)
    }

    @Test("a new tail commits its newest version, drops the older ones and tells the others; owners get their answers")
    func newTail() {
        var bench = Self.bench()
        bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
        bench.ask(0, bench.request(.write, value: "b", slot: 2, number: 1))
        for _ in 0..<2 { if let write = bench.take(.chainWrite, to: 1) { bench.deliver(write) } }
        bench.packets.removeAll()
        bench.change(to: [0, 1])
        #expect(bench.call(1, bench.request(.read, number: 5))?.text == "b")
        bench.advance(1)
        let commit = bench.take(.commit)
        #expect(commit?.header?.version == Self.v2 && commit?.destination.address == NetCRAQBench.address(0))
        bench.advance(0)
        #expect(bench.settle().map { $0.header?.slot } == [1, 2])
        #expect(bench.call(0, bench.request(.read, number: 6))?.from == NetCRAQBench.address(0))
    }

    @Test("a new head goes on above every version it holds, and knows the sessions it never spoke to")
    func newHead() {
        var bench = Self.bench()
        let write = bench.request(.write, value: "a", slot: 1, number: 1)
        bench.ask(0, write)
        if let first = bench.take(.chainWrite) { bench.deliver(first) }
        bench.packets.removeAll()
        bench.change(to: [1, 2])
        bench.advance(1)
        #expect(bench.settle().map { $0.header?.slot } == [1])
        #expect(bench.call(1, bench.request(.write, value: "a", slot: 1, number: 1))?.header?.version == Self.v1)
        let next = bench.call(1, bench.request(.write, value: "b", slot: 2, number: 1))
        #expect(next?.header?.version == ChainVersion(epoch: 2, number: 1))
    }

    @Test("one datagram to the asker, no longer than its request unless it is a read's", arguments: [1, 3])
    func answers(_ count: Int) {
        var bench = Self.bench(count)
        let wide = String(repeating: "w", count: 16)
        for request in [
            bench.request(.write, value: wide, number: 1), bench.request(.read, number: 2),
            bench.request(.compareAndSet, value: wide, number: 2), bench.request(.hello, number: 0),
        ] {
            bench.ask(0, request)
            let replies = bench.settle()
            #expect(replies.count == 1 && replies[0].destination == NetCRAQBench.client)
            let isRead = replies.first?.header?.operation == .readReply
            #expect(replies[0].bytes.count <= request.count + (isRead ? 16 : 0))
        }
    }
}
