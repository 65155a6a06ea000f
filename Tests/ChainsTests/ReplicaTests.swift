import Chains
import Testing
import Wire

@Suite("Default switches: what both variants do")
struct ReplicaTests {
    /// Runs the same claims against both kinds of switch.
    static func both(
        switches: Int = 3, change: (inout ReplicaConfiguration) -> Void = { _ in },
        _ claims: (any Bench) throws -> Void
    ) rethrows {
        try claims(CRAQBench(.cqx, switches: switches, change: change))
        try claims(ChainBench(.ncx, switches: switches, change: change))
    }

    @Test("what is written is read, with its version, whatever the length of the chain", arguments: 1...9)
    func writeAndRead(_ count: Int) {
        Self.both(switches: count) { bench in
            var bench = bench
            bench.form(Array(0..<count))
            for number in UInt32(1)...3 {
                let written = bench.call(0, bench.request(.write, key: 1, value: "v\(number)", number: number))
                #expect(written?.header?.operation == .writeReply && written?.header?.status == .ok)
                #expect(written?.header?.version == ChainVersion(epoch: 1, number: UInt64(number)))
                #expect(written?.header?.slot == 1 && written?.header?.request == number)
                let read = bench.call(count - 1, bench.request(.read, key: 1, number: number))
                #expect(read?.header?.status == .ok && read?.text == "v\(number)")
                #expect(read?.header?.version == written?.header?.version)
            }
            let absent = bench.call(count - 1, bench.request(.read, key: 2, number: 9))
            #expect(absent?.header?.status == .notFound && absent?.header?.version == ChainVersion.none)
        }
    }
}
