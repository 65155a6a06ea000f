import Chains
import Testing
import Wire

/// Rules that random schedules seldom need. Each script ends well, and badly where the rule is left out.
@Suite("Rules shown one by one, with and without them")
struct DirectedMutantTests {
    private static let v1 = ChainVersion(epoch: 1, number: 1)

    /// Runs a script on both kinds with and without a mutation; it answers whether all went well.
    private static func both(_ mutation: Mutations, _ script: (inout any Bench) -> Bool) {
        for mutations in [[], mutation] as [Mutations] {
            ReplicaTests.both(switches: 4, change: { $0.mutations = mutations }) { bench in
                #expect(script(&bench) == mutations.isEmpty, "\(bench.format) \(mutations.rawValue)")
            }
        }
    }

    @Test("an older version is passed on, or the retry of an overtaken write never ends")
    func olderVersionsArePassedOn() {
        Self.both(.dropsOlder) { bench in
            bench.form([0, 1, 2])
            bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
            bench.packets.removeAll()
            _ = bench.call(0, bench.request(.write, value: "b", slot: 2, number: 1))
            let replies = Self.answers(&bench, bench.request(.write, value: "a", slot: 1, number: 1))
            return replies.contains { $0.header?.slot == 1 && $0.header?.status == .ok }
        }
    }

    private static func answers(_ bench: inout any Bench, _ request: [UInt8]) -> [BenchPacket] {
        bench.ask(0, request)
        return bench.settle()
    }

    @Test("a lease counts from the heartbeat: with a slow stream, a grant may come when it is nearly over")
    func leasesCountFromTheHeartbeat() {
        Self.both(.leaseFromReceipt) { bench in
            bench.form([0, 1, 2])
            bench.now += 60_000_000
            let asked = bench.now
            // The controller grants 1 ms later, and waits until 56 ms after that before others take over.
            bench.now += 50_000_000
            bench.tell(
                2, .lease(Lease(clock: asked, duration: 50_000_000, groups: [GroupEpoch(group: 0, epoch: 1)])))
            bench.now = asked + 57_000_000
            return bench.call(2, bench.request(.read, number: 1))?.header?.status == .paused
        }
    }

    @Test("a session's entry never falls: a re-sent older write would let a newer retry run twice")
    func sessionsNeverFall() {
        Self.both(.dedupeFalls) { bench in
            bench.form([0, 1, 2])
            // The session gives up its first write, of key 1, and goes on to key 2.
            bench.ask(0, bench.request(.write, key: 1, value: "a", slot: 1, number: 1))
            let first = bench.packets
            bench.packets.removeAll()
            let second = bench.request(.write, key: 2, value: "b", slot: 1, number: 2)
            _ = bench.call(0, second)
            _ = bench.call(0, bench.request(.write, key: 2, value: "c", slot: 2, number: 1))
            // The first one comes late; then its head is gone, and the second is retried at the next one.
            bench.packets = first
            bench.settle()
            bench.change(to: [1, 2])
            bench.advance(1)
            bench.settle()
            bench.ask(1, bench.request(.write, key: 2, value: "b", slot: 1, number: 2))
            bench.settle()
            return bench.call(2, bench.request(.read, key: 2, number: 9))?.text == "c"
        }
    }

    @Test("a node that was left out answers no reads once others may have gone on without it")
    func leftOutNodesFallSilent() {
        Self.both(.ignoresLeases) { bench in
            bench.form([0, 1, 2])
            // Nobody reached node 2, neither with SEAL nor with a lease.
            bench.now += 60_000_000
            let read = bench.request(.read, number: 1)
            bench.change(to: [0, 1])
            _ = bench.call(0, bench.request(.write, value: "a", slot: 2, number: 1))
            return bench.call(2, read)?.header?.status == .paused
        }
    }

    @Test(
        "a write of an earlier chain changes nothing: a node that joined before it never saw it",
        arguments: [Mutations.ignoresEpochs, [.ignoresEpochs, .numbersWithoutEpoch]])
    func epochsAreKeptApart(_ mutation: Mutations) {
        Self.both(mutation) { bench in
            bench.form([0, 1])
            bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
            guard let late = bench.take(.chainWrite) else { return false }
            // The head is lost with its write; another node joins as the head.
            bench.change(to: [1])
            bench.tell(3, .join(JoinTicket(group: 0, epoch: bench.epoch, number: 1)))
            bench.seal([1])
            _ = bench.copy(from: 1, to: 3, since: 0)
            bench.activate([3, 1])
            bench.deliver(late)
            bench.packets.removeAll()
            let read = bench.call(1, bench.request(.read, number: 1))
            let set = bench.call(3, bench.request(.compareAndSet, value: "b", slot: 2, number: 1))
            // Whoever read the late value must not see a CAS succeed that expects none.
            return !(read?.text == "a" && set?.header?.status == .ok)
        }
    }

    @Test("every node keeps what became of a request, or a new head runs it again")
    func everybodyRemembers() {
        Self.both(.dedupesAtHeadOnly) { bench in
            bench.form([0, 1, 2])
            _ = bench.call(0, bench.request(.write, value: "a", slot: 1, number: 1))
            _ = bench.call(0, bench.request(.write, value: "b", slot: 2, number: 1))
            bench.change(to: [1, 2])
            bench.ask(1, bench.request(.write, value: "a", slot: 1, number: 1))
            bench.settle()
            return bench.call(2, bench.request(.read, number: 1))?.text == "b"
        }
    }

    @Test("a write without a free cell is refused aloud")
    func overflowIsAnswered() {
        for mutations in [[], Mutations.dropsSilently] {
            var bench = NetCRAQBench(.cqx) {
                $0.versions = 2
                $0.mutations = mutations
            }
            bench.form([0, 1, 2])
            bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
            bench.packets.removeAll()
            let reply = bench.call(0, bench.request(.write, value: "b", slot: 2, number: 1))
            #expect((reply?.header?.status == .outOfVersions) == mutations.isEmpty)
            #expect(bench.counters(0).versionOverflows == 1)
        }
    }

    @Test("a version is sent again with its owner, or the node that learns it so does not know a retry of it")
    func versionsKeepTheirOwners() {
        for mutations in [[], Mutations.resendsWithoutOwner] {
            var bench = NetCRAQBench(.cqx) { $0.mutations = mutations }
            bench.form([0, 1, 2])
            bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
            bench.packets.removeAll()
            bench.advance(0, by: 20_000_000)
            bench.settle()
            _ = bench.call(0, bench.request(.write, value: "b", slot: 2, number: 1))
            bench.change(to: [1, 2])
            bench.ask(1, bench.request(.write, value: "a", slot: 1, number: 1))
            bench.settle()
            let text = bench.call(2, bench.request(.read, number: 9))?.text
            #expect((text == "b") == mutations.isEmpty)
        }
    }

    @Test("a node that joins again forgets what it held")
    func rejoiningNodesForget() {
        Self.both(.rejoinsWithState) { bench in
            bench.form([0, 1, 2])
            // Only the head has this CAS when it is suspected, and left out.
            let first = bench.request(.compareAndSet, value: "a", slot: 1, number: 1)
            bench.ask(0, first)
            bench.packets.removeAll()
            bench.change(to: [1, 2])
            let other = bench.call(1, bench.request(.compareAndSet, value: "b", slot: 3, number: 1))
            #expect(other?.header?.status == .ok)
            // It comes back as the head, and the CAS is tried again: the key has a value now.
            bench.tell(0, .join(JoinTicket(group: 0, epoch: bench.epoch, number: 1)))
            let stamp = bench.copy(from: 1, to: 0, since: 0)
            bench.seal([1, 2])
            _ = bench.copy(from: 1, to: 0, since: stamp)
            bench.activate([0, 1, 2])
            bench.advance(0)
            bench.settle()
            let again = bench.call(0, bench.request(.compareAndSet, value: "a", slot: 1, number: 1))
            return again?.header?.status == .mismatch
        }
    }

    @Test("a key's number is never used again: a delayed write of its earlier life would win")
    func numbersAreNotUsedAgain() {
        ReplicaTests.both { bench in
            bench.form([0, 1, 2])
            for number in UInt32(1)...3 {
                bench.ask(0, bench.request(.write, value: "old", number: number))
            }
            let late = bench.packets[2]
            bench.packets.removeAll()
            let entry = KeyEntry(key: ChainKey(low: 1), group: 0, epoch: 1, width: .bytes16)
            for index in 0..<3 { bench.tell(index, .remove(entry)) }
            for index in 0..<3 { bench.tell(index, .insert(entry)) }
            let written = bench.call(0, bench.request(.write, value: "new", slot: 2, number: 1))
            #expect(written?.header?.status == .ok)
            bench.packets = [late]
            bench.settle()
            // Reused all the same, the number shows why not: what was acknowledged is gone.
            #expect(bench.call(2, bench.request(.read, number: 9))?.text == "old")
        }
    }
}
