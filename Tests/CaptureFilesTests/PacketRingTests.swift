import CaptureFiles
import Foundation
import TestSupport
import Testing
import Wire

@Suite("The ring between taking and decoding")
struct PacketRingTests {
    /// A batch of packets of 1 KiB whose times are their numbers.
    private func fill(_ batch: inout PacketBatch, _ numbers: Range<Int>) {
        for number in numbers {
            let start = batch.storage.count
            batch.storage.append(contentsOf: repeatElement(UInt8(truncatingIfNeeded: number), count: 1024))
            batch.packets.append(
                CapturedPacket(
                    time: CaptureTime(nanoseconds: Int64(number)), bytes: start..<start + 1024, originalLength: 1024,
                    linkType: .ethernet, interface: 0))
        }
    }

    /// What is in the ring now.
    private func drain(_ ring: PacketRing) throws -> [[Int64]] {
        var batch = PacketBatch()
        var found: [[Int64]] = []
        while try ring.next(into: &batch, milliseconds: 0), !batch.packets.isEmpty {
            found.append(batch.packets.map(\.time.nanoseconds))
        }
        return found
    }

    @Test("a batch is handed over at once when nothing waits, else when it is full")
    func handsOver() throws {
        let ring = PacketRing(bytes: 8 << 20)
        var batch = PacketBatch()
        fill(&batch, 0..<3)
        ring.offer(&batch)
        #expect(batch.packets.isEmpty)
        fill(&batch, 3..<5)
        ring.offer(&batch)
        #expect(batch.packets.count == 2)
        fill(&batch, 5..<1200)
        ring.offer(&batch)
        #expect(batch.packets.isEmpty)
        #expect(try drain(ring) == [Array(0..<3), Array(3..<1200)])
        #expect(ring.dropped == 0)
    }

    @Test("what finds the ring full is dropped as a whole batch, and counted; what waits stays")
    func drops() throws {
        let ring = PacketRing(bytes: 3 << 20)
        var batch = PacketBatch()
        for round in 0..<5 {
            fill(&batch, round * 1100..<(round + 1) * 1100)
            ring.offer(&batch)
            #expect(batch.packets.isEmpty)
        }
        #expect(ring.dropped == 2200)
        fill(&batch, 5500..<5510)
        ring.offer(&batch)
        #expect(batch.packets.count == 10, "a batch that is not full waits for room")
        #expect(try drain(ring).flatMap { $0 } == Array(0..<3300))
        ring.offer(&batch)
        #expect(try drain(ring) == [Array(5500..<5510)])
        #expect(ring.dropped == 2200)
    }

    @Test("the end comes after the last batch, with the failure, once")
    func ends() throws {
        let ring = PacketRing(bytes: 0)
        var batch = PacketBatch()
        fill(&batch, 0..<1)
        ring.put(&batch)
        let failure = CaptureError(kind: .captureFailed, what: "cannot record", path: "lo", why: "it went away")
        ring.end(failure)
        #expect(try ring.next(into: &batch, milliseconds: 0))
        #expect(batch.packets.count == 1)
        #expect(throws: failure) { try ring.next(into: &batch, milliseconds: 0) }
        #expect(try !ring.next(into: &batch, milliseconds: 0))
        #expect(batch.packets.isEmpty)
    }

    @Test("two threads: every packet comes once and in order, or is counted as dropped", arguments: [false, true])
    func threads(_ waits: Bool) throws {
        let ring = PacketRing(bytes: 2 << 20)
        let count = 40_000
        let sizes = SplitMix64(seed: 7)
        Thread.detachNewThread {
            var sizes = sizes
            var batch = PacketBatch()
            var number = 0
            while number < count {
                let next = min(count, number + Int.random(in: 1...700, using: &sizes))
                fill(&batch, number..<next)
                if waits { ring.put(&batch) } else { ring.offer(&batch) }
                number = next
            }
            ring.put(&batch)
            ring.end()
        }
        var batch = PacketBatch()
        var last: Int64 = -1
        var found = 0
        var isWhole = true
        while try ring.next(into: &batch, milliseconds: 100) {
            for packet in batch.packets {
                isWhole = isWhole && packet.time.nanoseconds > last
                last = packet.time.nanoseconds
                isWhole = isWhole && batch.storage[packet.bytes.upperBound - 1] == UInt8(truncatingIfNeeded: last)
            }
            found += batch.packets.count
        }
        #expect(isWhole)
        #expect(found + Int(ring.dropped) == count)
        if waits { #expect(ring.dropped == 0) }
    }

    @Test("a thread that waits for room goes on when nobody takes any more")
    func close() {
        let ring = PacketRing(bytes: 0)
        let ended = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            var batch = PacketBatch()
            for _ in 0..<4 {
                fill(&batch, 0..<10)
                ring.put(&batch)
            }
            ended.signal()
        }
        ring.close()
        ended.wait()
        // Two found room, or none did.
        #expect([20, 30, 40].contains(ring.dropped))
    }
}
