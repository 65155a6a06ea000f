import Chains
import Testing
import Wire

@Suite("Copies: what a joining switch is given")
struct CopyTests {
    @Test("a delta copy brings sessions whose entry changed, though no version did")
    func deltaCopiesBringSessions() {
        ReplicaTests.both(switches: 4) { bench in
            bench.form([0, 1, 2])
            bench.tell(3, .join(JoinTicket(group: 0, epoch: 1, number: 1)))
            let stamp = bench.copy(from: 0, to: 3, since: 0)
            let wide = bench.request(.write, value: String(repeating: "w", count: 17), slot: 8, number: 1)
            _ = bench.call(0, wide)
            bench.seal([0, 1, 2])
            _ = bench.copy(from: 0, to: 3, since: stamp)
            bench.activate([3, 0, 1, 2])
            let again = bench.call(3, bench.request(.write, value: "narrow", slot: 8, number: 1))
            #expect(again?.header?.status == .tooLarge)
        }
    }

    @Test("a delta copy takes keys away that were removed meanwhile")
    func deltaCopiesRemove() {
        ReplicaTests.both(switches: 4) { bench in
            bench.form([0, 1, 2])
            bench.tell(3, .join(JoinTicket(group: 0, epoch: 1, number: 1)))
            let stamp = bench.copy(from: 2, to: 3, since: 0)
            for index in 0..<3 {
                bench.tell(index, .remove(KeyEntry(key: ChainKey(low: 1), group: 0, epoch: 1, width: .bytes16)))
            }
            bench.seal([0, 1, 2])
            _ = bench.copy(from: 2, to: 3, since: stamp)
            bench.activate([0, 1, 2, 3])
            let write = bench.call(0, bench.request(.write, key: 2, value: "b", number: 1))
            #expect(write?.header?.status == .ok)
            let counted = bench.tell(3, .counters(CountersRequest(group: 0, cursor: 0)))
            guard case .counts(let counts)? = counted else { return #expect(Bool(false)) }
            #expect(counts.rows.map(\.key) == [ChainKey(low: 2)])
        }
    }

    @Test("a copy is read in pieces, and what joins holds the same: versions, owners, sessions, values of every class")
    func pieces() {
        ReplicaTests.both(
            switches: 3,
            change: {
                $0.limits.entriesPerCopy = 2
                $0.limits.bytesPerCopy = 100
            },
            { bench in
                bench.form([0, 1], keys: [1, 2, 3, 4, 5], width: .bytes1024)
                for key in UInt64(1)...5 {
                    let text = String(repeating: "\(key)", count: 60 * Int(key))
                    var write = bench.request(.write, key: key, value: text, slot: UInt32(key), number: 1)
                    // The key's class, not the narrowest for the value.
                    write = bench.widened(write, to: .bytes1024)
                    #expect(bench.call(0, write)?.header?.status == .ok)
                }
                bench.tell(2, .join(JoinTicket(group: 0, epoch: 1, number: 1)))
                let stamp = bench.copy(from: 1, to: 2, since: 0)
                bench.seal([1])
                _ = bench.copy(from: 1, to: 2, since: stamp)
                bench.activate([2])
                for key in UInt64(1)...5 {
                    let read = bench.call(2, bench.request(.read, key: key, number: 9))
                    #expect(read?.text == String(repeating: "\(key)", count: 60 * Int(key)))
                    #expect(read?.header?.version == ChainVersion(epoch: 1, number: 1))
                    let retry = bench.widened(
                        bench.request(.write, key: key, value: "again", slot: UInt32(key), number: 1), to: .bytes1024)
                    #expect(bench.call(2, retry)?.header?.version == ChainVersion(epoch: 1, number: 1))
                }
            })
    }

    @Test("copies are taken only while joining, of the same attempt, and only if they make sense")
    func refusals() {
        ReplicaTests.both { bench in
            bench.form([0, 1])
            let ticket = JoinTicket(group: 0, epoch: 1, number: 7)
            func entries(_ ticket: JoinTicket, versions: [VersionCopy]) -> ControlMessage {
                .copyWrite(
                    CopyEntries(
                        ticket: ticket, keys: [KeyCopy(key: ChainKey(low: 9), width: .bytes16, versions: versions)],
                        slots: [], removed: [], next: nil, stamp: 1))
            }
            func version(_ epoch: UInt32, _ number: UInt64, bytes: Int = 1) -> VersionCopy {
                VersionCopy(
                    version: ChainVersion(epoch: epoch, number: number), slot: 1, request: 1,
                    client: Endpoint(address: 1, port: 1), value: [UInt8](repeating: 1, count: bytes))
            }
            let good = entries(ticket, versions: [version(1, 1)])
            #expect(bench.refusal(2, good) == .epoch)
            #expect(bench.refusal(0, good) == .epoch)
            bench.tell(2, .join(ticket))
            #expect(bench.refusal(2, entries(JoinTicket(group: 0, epoch: 1, number: 6), versions: [])) == .epoch)
            #expect(bench.refusal(2, entries(ticket, versions: [])) == .invalid)
            #expect(bench.refusal(2, entries(ticket, versions: [version(2, 1)])) == .invalid)
            #expect(bench.refusal(2, entries(ticket, versions: [version(1, 1, bytes: 17)])) == .invalid)
            #expect(bench.refusal(2, entries(ticket, versions: [version(1, 2), version(1, 2)])) == .invalid)
            #expect(bench.refusal(2, good) == nil)
            // An active switch is not made to forget by a stray JOIN of its own epoch.
            #expect(bench.refusal(0, .join(ticket)) == .epoch)
            #expect(bench.refusal(0, .copyRead(CopyRequest(ticket: ticket, since: 0, cursor: .max))) == nil)
        }
    }

    @Test("what is full refuses: keys, sessions, groups")
    func limits() {
        ReplicaTests.both(
            switches: 2,
            change: {
                $0.limits.keys = 3
                $0.limits.slots = 2
                $0.limits.groups = 1
            },
            { bench in
                bench.form([0, 1], keys: [1, 2, 3], width: .bytes16)
                let fourth = KeyEntry(key: ChainKey(low: 4), group: 0, epoch: 1, width: .bytes16)
                #expect(bench.refusal(0, .insert(fourth)) == .full)
                #expect(bench.refusal(0, .join(JoinTicket(group: 1, epoch: 1, number: 1))) == .full)
                for slot in UInt32(1)...3 {
                    let reply = bench.call(0, bench.request(.write, value: "a", slot: slot, number: 1))
                    #expect(reply?.header?.status == (slot < 3 ? .ok : .paused))
                }
                bench.change(to: [0, 1], closedSlots: [1])
                let reply = bench.call(0, bench.request(.write, value: "a", slot: 3, number: 1))
                #expect(reply?.header?.status == .ok)
            })
    }
}
