import CaptureFiles
import Foundation
import Testing
import Wire

@Suite("Live capture", .serialized)
struct LiveCaptureTests {
    /// Whether this process may record; it mostly may not.
    static let isAllowed = (try? LiveCapture(interface: "lo", ports: [9])) != nil

    /// Ports of services that nobody runs any more (discard, chargen): each attempt is a SYN and a RST.
    private func attempt(_ count: Int, port: UInt16) throws {
        try Tool.run("bash", ["-c", "for i in $(seq \(count)); do (: > /dev/tcp/127.0.0.1/\(port)); done"])
    }

    @Test("segments are read to the last one before the end", .enabled(if: isAllowed), arguments: ["lo", "any"])
    func loopback(_ interface: String) throws {
        let live = try LiveCapture(interface: interface, ports: [9, 13])
        #expect(live.linkType == (interface == "lo" ? .ethernet : .linuxCooked2))
        try attempt(20, port: 9)
        try attempt(5, port: 19)
        try attempt(10, port: 13)
        live.interrupter.interrupt()
        var batch = PacketBatch()
        #expect(try !live.next(into: &batch))
        #expect(batch.packets.isEmpty)
        var flags: [UInt8: Int] = [:]
        var times: [CaptureTime] = []
        let ipHeader = interface == "lo" ? 14 : 20
        while try live.drain(into: &batch) {
            for packet in batch.packets {
                flags[batch.storage[packet.bytes.lowerBound + ipHeader + 20 + 13], default: 0] += 1
                times.append(packet.time)
                #expect(packet.originalLength == packet.bytes.count)
            }
            batch.removeAll()
        }
        // SYN, and RST with ACK.
        #expect(flags == [0x02: 30, 0x14: 30])
        #expect(times == times.sorted())
        #expect(times.contains { $0.nanoseconds % 1000 != 0 }, "times are in nanoseconds")
        #expect(live.health.packets == 60)
        #expect(live.health.packetsDropped == 0)
        // The loopback shows each packet twice; the kernel keeps one. It also counts what came before the filter.
        if interface == "lo" { #expect((60..<120).contains(live.statistics.received)) }
    }

    @Test("a drain that ends because traffic goes on loses nothing that it took", .enabled(if: isAllowed))
    func boundedDrain() throws {
        let live = try LiveCapture(interface: "lo", ports: [11], bufferBytes: 100)
        try attempt(2, port: 11)
        var batch = PacketBatch()
        var count = 0
        while try live.drain(into: &batch) {
            count += batch.packets.count
            batch.removeAll()
        }
        #expect(batch.packets.isEmpty)
        #expect(count > 0)
        #expect(count == live.health.packets)
    }

    @Test("before the end, next brings what came", .enabled(if: isAllowed))
    func next() throws {
        let live = try LiveCapture(interface: "lo", ports: [7])
        try attempt(3, port: 7)
        var batch = PacketBatch()
        var count = 0
        for _ in 0..<50 where count < 6 {
            #expect(try live.next(into: &batch))
            count = batch.packets.count
        }
        #expect(count == 6, "packets are added to those in the batch")
    }

    @Test("a thread takes packets until it is interrupted or its time is over", .enabled(if: isAllowed))
    func thread() throws {
        let taker = try PacketTaker(interface: "lo", ports: [21], ringBytes: 0)
        try attempt(40, port: 21)
        taker.interrupter.interrupt()
        var batch = PacketBatch()
        var count = 0
        while try taker.next(into: &batch) { count += batch.packets.count }
        #expect(count == 80)
        #expect(taker.health.packets == 80)
        #expect(taker.health.packetsDropped == 0)
        #expect(taker.statistics.received >= 80)
        let brief = try PacketTaker(interface: "lo", ports: [21], nanoseconds: 1_000_000)
        while try brief.next(into: &batch) {}
        #expect(brief.health == CaptureHealth())
    }

    @Test("a snap length cuts packets and says so", .enabled(if: isAllowed))
    func snapLength() throws {
        let live = try LiveCapture(interface: "lo", ports: [17], snapLength: 60)
        try attempt(1, port: 17)
        var batch = PacketBatch()
        var lengths: [[Int]] = []
        while try live.drain(into: &batch) {
            lengths += batch.packets.map { [$0.bytes.count, $0.originalLength] }
            batch.removeAll()
        }
        // The SYN has 20 bytes of options, the RST none.
        #expect(lengths == [[60, 74], [54, 54]])
        #expect(live.health.packetsCut == 1)
    }

    @Test("an interface that does not exist is refused, and those that exist are named", .enabled(if: isAllowed))
    func noInterface() throws {
        let error = #expect(throws: CaptureError.self) { try LiveCapture(interface: "nosuch0", ports: [2379]) }
        let same = #expect(throws: CaptureError.self) { try PacketTaker(interface: "nosuch0", ports: [2379]) }
        #expect(same == error)
        #expect(error?.kind == .noInterface)
        #expect(error?.remedy.contains("lo") == true)
    }

    @Test("without the privilege the remedy names it", .enabled(if: !isAllowed))
    func noPermission() throws {
        let error = #expect(throws: CaptureError.self) { try LiveCapture(interface: "lo", ports: [2379]) }
        #expect(error?.kind == .noPermission)
        #expect(error?.remedy.contains("cap_net_raw") == true)
    }
}
