import CaptureFiles
import Foundation
import Testing
import Wire

@Suite("Reading ahead")
struct ReadAheadTests {
    let folder: CaptureFolder
    var limits = CaptureLimits()

    init() throws {
        folder = try CaptureFolder()
        limits.chunkBytes = 300
    }

    /// All that is said between two batches, in order.
    private enum Step: Equatable {
        case batch([ReadPacket], secrets: [DecryptionSecrets], health: CaptureHealth, bytesRead: Int)
        case failure(String)
    }

    private func direct(_ paths: [String]) throws -> [Step] {
        var reader = try CaptureReader(paths: paths, limits: limits)
        var batch = PacketBatch()
        var steps: [Step] = []
        while true {
            do throws(CaptureError) {
                guard try reader.next(into: &batch) else { return steps }
                steps.append(step(batch, reader.health, reader.bytesRead))
            } catch {
                steps.append(.failure("\(error)"))
            }
        }
    }

    private func step(_ batch: PacketBatch, _ health: CaptureHealth, _ bytesRead: Int) -> Step {
        .batch(
            batch.packets.map { ReadPacket($0, of: batch) }, secrets: batch.secrets, health: health,
            bytesRead: bytesRead)
    }

    private func ahead(_ paths: [String]) throws -> [Step] {
        let reader = try #require(try ReadAhead(paths: paths, limits: limits))
        var batch = PacketBatch()
        var steps: [Step] = []
        while true {
            do throws(CaptureError) {
                guard try reader.next(into: &batch) else { break }
                steps.append(step(batch, reader.state.health, reader.state.bytesRead))
            } catch {
                steps.append(.failure("\(error)"))
                break
            }
        }
        // The end stays the end.
        #expect(try !reader.next(into: &batch))
        #expect(try !reader.next(into: &batch))
        #expect(batch.packets.isEmpty)
        return steps
    }

    @Test("gives what reading in place gives, batch by batch, counts included")
    func same() throws {
        let pcap = CaptureBuilder.smallPcap(count: 40)
        let pcapng = CaptureBuilder.smallPcapng()
        let paths = [
            try folder.write("a", pcapng), try folder.write("b", CompressedBytes.zstd(pcap)),
            try folder.write("c", Array(pcap.dropLast(5))), try folder.write("d", CompressedBytes.gzip(pcapng)),
        ]
        let steps = try ahead(paths)
        #expect(steps == (try direct(paths)))
        #expect(steps.count > 20)
    }

    @Test("a failure is thrown as in place, and then it is over")
    func failure() throws {
        let path = try folder.write("a", Array("something else, and nothing of a capture".utf8))
        let steps = try ahead([path])
        #expect(steps == (try direct([path])))
        #expect(steps.count == 1)
        guard case .failure = steps.first else {
            Issue.record("\(steps)")
            return
        }
    }

    @Test("is let go while it waits, with batches unread")
    func letGo() throws {
        let path = try folder.write("a", CaptureBuilder.smallPcap(count: 400))
        for batches in 0..<5 {
            let reader = try #require(try ReadAhead(paths: [path], limits: limits))
            var batch = PacketBatch()
            for _ in 0..<batches { #expect(try reader.next(into: &batch)) }
        }
    }

    @Test("says what cannot be read at once; pipes are not read ahead")
    func refused() throws {
        #expect(throws: CaptureError.self) { try ReadAhead(paths: ["/nonexistent"]) }
        #expect(throws: CaptureError.self) { try ReadAhead(paths: []) }
        #expect(try ReadAhead(paths: ["-"]) == nil)
    }
}
