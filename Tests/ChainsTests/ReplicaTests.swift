import Chains
import Testing
import Wire

@Suite("Default switches: requests and control, in both variants")
struct ReplicaTests {
    /// Runs the same claims against both kinds of switch.
    static func both(
        switches: Int = 3, change: (inout ReplicaConfiguration) -> Void = { _ in }, _ claims: (inout any Bench) -> Void
    ) {
        var craq: any Bench = NetCRAQBench(.cqx, switches: switches, change: change)
        claims(&craq)
        var chain: any Bench = NetChainBench(.ncx, switches: switches, change: change)
        claims(&chain)
    }

    @Test("what is written is read, with its version, whatever the length of the chain", arguments: 1...9)
    func writeAndRead(_ count: Int) {
        Self.both(switches: count) { bench in
            bench.form(Array(0..<count))
            for number in UInt32(1)...3 {
                let written = bench.call(0, bench.request(.write, value: "v\(number)", number: number))
                #expect(written?.header?.operation == .writeReply && written?.header?.status == .ok)
                #expect(written?.header?.version == ChainVersion(epoch: 1, number: UInt64(number)))
                #expect(written?.header?.slot == 1 && written?.header?.request == number)
                let read = bench.call(count - 1, bench.request(.read, number: number))
                #expect(read?.header?.status == .ok && read?.text == "v\(number)")
                #expect(read?.header?.version == written?.header?.version)
            }
            let absent = bench.call(count - 1, bench.request(.read, key: 2, number: 9))
            #expect(absent?.header?.status == .notFound && absent?.header?.version == ChainVersion.none)
        }
    }

    @Test("a deleted key has no value, but a version that goes on")
    func deletion() {
        Self.both { bench in
            bench.form([0, 1, 2])
            _ = bench.call(0, bench.request(.write, value: "a", number: 1))
            #expect(bench.call(0, bench.request(.write, value: nil, number: 2))?.header?.status == .ok)
            let read = bench.call(2, bench.request(.read, number: 3))
            #expect(read?.header?.status == .notFound)
            #expect(read?.header?.version == ChainVersion(epoch: 1, number: 2))
            // An empty value is one.
            #expect(bench.call(0, bench.request(.write, value: "", number: 4))?.header?.status == .ok)
            #expect(bench.call(2, bench.request(.read, number: 5))?.header?.status == .ok)
        }
    }

    @Test("a retry is not a second write, also where the first reply was lost and others wrote since")
    func retries() {
        Self.both { bench in
            bench.form([0, 1, 2])
            let first = bench.request(.write, value: "first", slot: 1, number: 1)
            #expect(bench.call(0, first)?.header?.version == ChainVersion(epoch: 1, number: 1))
            _ = bench.call(0, bench.request(.write, value: "second", slot: 2, number: 1))
            let again = bench.call(0, first)
            #expect(again?.header?.status == .ok && again?.header?.version == ChainVersion(epoch: 1, number: 1))
            #expect(bench.call(2, bench.request(.read, number: 9))?.text == "second")
            // Once the session went on, an older number is a straggler.
            _ = bench.call(0, bench.request(.write, value: "third", slot: 1, number: 2))
            #expect(bench.call(0, first) == nil)
            // The same number for another key is no retry of it.
            #expect(bench.call(0, bench.request(.write, key: 2, value: "x", slot: 1, number: 2)) == nil)
            #expect(bench.call(2, bench.request(.read, key: 2, number: 9))?.header?.status == .notFound)
        }
    }

    @Test("a refusal is remembered: a duplicate of the request is refused too, though it could run now")
    func refusalsStay() {
        Self.both { bench in
            bench.form([0, 1, 2])
            let wide = bench.request(.write, value: String(repeating: "w", count: 17), number: 1)
            #expect(bench.call(0, wide)?.header?.status == .tooLarge)
            let narrow = bench.request(.write, value: "n", number: 1)
            #expect(bench.call(0, narrow)?.header?.status == .tooLarge)
            let unknown = bench.request(.write, key: 77, value: "n", number: 2)
            #expect(bench.call(0, unknown)?.header?.status == .notFound)
            bench.tell(0, .insert(KeyEntry(key: ChainKey(low: 77), group: 0, epoch: 1, width: .bytes16)))
            #expect(bench.call(0, unknown)?.header?.status == .notFound)
            let wrongClass = bench.request(.write, value: "n", number: 3)
            var bytes = wrongClass + [UInt8](repeating: 0, count: 112)
            bytes[3] = 2
            #expect(bench.call(0, bytes)?.header?.status == .unsupported)
            #expect(bench.call(2, bench.request(.read, number: 9))?.header?.status == .notFound)
            #expect(bench.counters(0).writes == 0 && bench.counters(0).rejections == 5)
        }
    }

    @Test("a write without a session, or by the wrong node, is not done")
    func roles() {
        Self.both { bench in
            bench.form([0, 1, 2])
            #expect(
                bench.call(0, bench.request(.write, value: "a", slot: 0, number: 1))?.header?.status == .unsupported)
            let write = bench.request(.write, value: "a", number: 1)
            #expect(bench.call(1, write)?.header?.status == .wrongRole)
            if bench.format == .ncx {
                let read = bench.request(.read, key: 1, value: nil, slot: 1, number: 1, expecting: .none, to: 0)
                #expect(bench.call(0, read)?.header?.status == .wrongRole)
            }
            #expect((0..<3).allSatisfy { bench.counters($0).writes == 0 })
        }
    }

    @Test("requests of another epoch are told the present one; a sealed group tells them to wait")
    func epochs() {
        Self.both { bench in
            bench.form([0, 1, 2])
            let write = bench.request(.write, value: "a", number: 1)
            let read = bench.request(.read, number: 2)
            bench.seal([0, 1, 2])
            #expect(bench.call(0, write)?.header?.status == .staleEpoch)
            #expect(bench.call(2, read)?.header?.epoch == 2)
            let late = bench.request(.write, value: "a", number: 1)
            #expect(bench.call(0, late)?.header?.status == .paused)
            bench.activate([0, 1, 2])
            #expect(bench.call(0, write)?.header?.status == .staleEpoch)
            #expect(bench.call(0, late)?.header?.version == ChainVersion(epoch: 2, number: 1))
            let other = bench.call(0, Self.request(bench, group: 9))
            #expect(other?.header?.status == .staleEpoch && other?.header?.epoch == 0)
        }
    }

    private static func request(_ bench: any Bench, group: UInt16) -> [UInt8] {
        var bytes = bench.request(.read, number: 1)
        bytes.storeBigEndian16(group, at: bench.format == .cqx ? 12 : 8)
        return bytes
    }

    @Test("a switch answers reads until its lease ends, counted from when it asked, and takes writes without one")
    func leases() {
        Self.both { bench in
            bench.form([0, 1, 2])
            bench.now += 49_999_999
            #expect(bench.call(2, bench.request(.read, number: 1))?.header?.status == .notFound)
            bench.now += 1
            #expect(bench.call(2, bench.request(.read, number: 2))?.header?.status == .paused)
            #expect(bench.call(0, bench.request(.write, value: "a", number: 3))?.header?.status == .ok)
            bench.grant([2])
            #expect(bench.call(2, bench.request(.read, number: 4))?.text == "a")
            // A lease of another epoch, or from the future, is none.
            bench.now += 60_000_000
            bench.tell(
                2, .lease(Lease(clock: bench.now, duration: 50, groups: [GroupEpoch(group: 0, epoch: 2)])))
            bench.tell(
                2, .lease(Lease(clock: bench.now + 9, duration: 50, groups: [GroupEpoch(group: 0, epoch: 1)])))
            #expect(bench.call(2, bench.request(.read, number: 5))?.header?.status == .paused)
        }
    }

    @Test("a closed session is refused in every epoch, and stays closed")
    func closedSlots() {
        Self.both { bench in
            bench.form([0, 1, 2])
            let early = bench.request(.write, value: "a", slot: 5, number: 1)
            _ = bench.call(0, early)
            bench.change(to: [0, 1, 2], closedSlots: [5, 9])
            #expect(bench.call(0, early)?.header?.status == .closed)
            #expect(bench.call(0, bench.request(.write, value: "b", slot: 9, number: 1))?.header?.status == .closed)
            bench.change(to: [0, 1, 2])
            #expect(bench.call(0, bench.request(.write, value: "b", slot: 5, number: 2))?.header?.status == .closed)
            #expect(bench.call(0, bench.request(.write, value: "c", slot: 6, number: 1))?.header?.status == .ok)
        }
    }

    @Test("CAS follows the version it expects, or none; where it does not, it says what is there")
    func compareAndSet() {
        Self.both { bench in
            bench.form([0, 1, 2])
            let absent = bench.call(0, bench.request(.compareAndSet, value: "a", number: 1))
            #expect(absent?.header?.status == .ok)
            let first = ChainVersion(epoch: 1, number: 1)
            #expect(absent?.header?.version == first)
            let again = bench.call(0, bench.request(.compareAndSet, value: "b", number: 2))
            #expect(again?.header?.status == .mismatch && again?.header?.version == first)
            #expect(again?.header?.operation == .compareAndSetReply)
            let next = bench.call(0, bench.request(.compareAndSet, value: "c", number: 3, expecting: first))
            #expect(next?.header?.status == .ok)
            let second = ChainVersion(epoch: 1, number: 2)
            let deleted = bench.call(0, bench.request(.compareAndSet, value: nil, number: 4, expecting: second))
            #expect(deleted?.header?.status == .ok)
            #expect(bench.call(0, bench.request(.compareAndSet, value: "d", number: 5))?.header?.status == .ok)
            #expect(bench.call(2, bench.request(.read, number: 6))?.text == "d")
            // What a mismatch says is a read, and needs a lease; a match needs none.
            bench.now += 60_000_000
            #expect(bench.call(0, bench.request(.compareAndSet, value: "e", number: 6))?.header?.status == .paused)
            let fourth = ChainVersion(epoch: 1, number: 4)
            let match = bench.call(0, bench.request(.compareAndSet, value: "e", number: 6, expecting: fourth))
            #expect(match?.header?.status == .ok)
        }
    }

    @Test("CAS waits for what is not committed yet")
    func busy() {
        Self.both { bench in
            bench.form([0, 1, 2])
            bench.ask(0, bench.request(.write, value: "a", slot: 1, number: 1))
            let cas = bench.request(
                .compareAndSet, value: "b", slot: 2, number: 1, expecting: ChainVersion(epoch: 1, number: 1))
            bench.ask(0, cas)
            #expect(bench.packets.last?.header?.status == .busy)
            bench.settle()
            // The refusal stands; the next request of the session may succeed.
            #expect(bench.call(0, cas)?.header?.status == .busy)
            let next = bench.request(
                .compareAndSet, value: "b", slot: 2, number: 2, expecting: ChainVersion(epoch: 1, number: 1))
            #expect(bench.call(0, next)?.header?.status == .ok)
        }
    }

    @Test("HELLO is answered with the classes both know; another version of CQX with UNSUPPORTED")
    func hello() {
        Self.both { bench in
            bench.form([0, 1, 2])
            var hello = bench.request(.hello, number: 0)
            hello.storeBigEndian16(0xfffe, at: bench.format == .cqx ? 14 : 10)
            let reply = bench.call(0, hello)
            #expect(reply?.header?.operation == .helloReply && reply?.header?.valueLength == 0b110)
            var other = hello
            other[0] = bench.format == .cqx ? 0x02 : 0xf2
            let refused = bench.call(0, other)
            #expect(refused?.header?.status == (bench.format == .cqx ? .unsupported : nil))
            #expect(bench.call(0, Array(other.dropLast())) == nil)
        }
    }

    @Test("nobody outside the clients' network is answered, nor a packet that only switches send")
    func foreign() {
        Self.both { bench in
            bench.form([0, 1, 2])
            let read = bench.request(.read, number: 1)
            bench.ask(2, read, from: Endpoint(address: 0x7f00_0201, port: 40001))
            bench.ask(2, read, from: Endpoint(address: 0x7f00_0101, port: 0))
            bench.ask(0, bench.request(.chainWrite, number: 1))
            #expect(bench.packets.isEmpty)
            #expect(bench.counters(2).foreign == 2 && bench.counters(0).foreign == 1)
        }
    }

    @Test("a write from another than the predecessor, of another epoch, for another switch or too far changes nothing")
    func chainWritesElsewhere() {
        Self.both(switches: 4) { bench in
            bench.form([0, 1, 2])
            bench.ask(0, bench.request(.write, value: "a", number: 1))
            guard let good = bench.take(.chainWrite) else { return #expect(Bool(false)) }
            var stranger = good
            stranger.from = 0x7f00_000c
            bench.deliver(stranger)
            var expired = good
            expired.bytes[3] = 0
            bench.deliver(expired)
            var elsewhere = good
            elsewhere.bytes[11] = 0x0c
            bench.deliver(elsewhere)
            var late = good
            late.bytes.storeBigEndian32(7, at: 16 + (bench.format == .cqx ? 8 : 4))
            bench.deliver(late)
            var cut = good
            cut.bytes.removeLast()
            bench.deliver(cut)
            #expect(bench.packets.isEmpty)
            let counters = bench.counters(1)
            #expect(counters.foreign == 2 && counters.expired == 1 && counters.otherEpochs == 1)
            #expect(counters.malformed == 1 && counters.writes == 0)
            bench.deliver(good)
            #expect(bench.settle().first?.header?.status == .ok)
        }
    }
}
