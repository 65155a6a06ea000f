import Dispatch
import Foundation
import Synchronization
package import Wire

/// Takes packets from an interface on a thread of its own, which does nothing else, into a ring.
///
/// So packets are lost only when the ring is full, which takes a decoder or an output that is too slow for long; that
/// is counted apart from what the kernel dropped.
package final class PacketTaker: Sendable {
    /// Ends the taking; what the kernel and the ring hold still comes.
    package let interrupter: LiveCaptureInterrupter
    /// What the packets begin with.
    package let linkType: LinkType
    private let ring: PacketRing
    private let counts: Counts

    private final class Counts: Sendable {
        let now = Mutex((statistics: LiveStatistics(), health: CaptureHealth()))
    }

    /// The thread opens the interface itself: what libpcap gives belongs to one thread.
    private final class Opening: Sendable {
        struct Opened {
            var linkType: LinkType
            var interrupter: LiveCaptureInterrupter
        }
        let result = Mutex<Result<Opened, CaptureError>?>(nil)
        let isDone = DispatchSemaphore(value: 0)

        func settle(_ outcome: Result<Opened, CaptureError>) {
            result.withLock { $0 = outcome }
            isDone.signal()
        }
    }

    /// Opens `interface` as `LiveCapture` does and begins to take, until interrupted or `nanoseconds` have passed.
    package init(
        interface: String, ports: [UInt16], snapLength: Int = CaptureLimits.snapLength,
        bufferBytes: Int = CaptureLimits.kernelBytes, ringBytes: Int = CaptureLimits.ringBytes,
        nanoseconds: UInt64? = nil
    ) throws(CaptureError) {
        let ring = PacketRing(bytes: ringBytes)
        let counts = Counts()
        let opening = Opening()
        Thread.detachNewThread {
            do throws(CaptureError) {
                let live = try LiveCapture(
                    interface: interface, ports: ports, snapLength: snapLength, bufferBytes: bufferBytes)
                opening.settle(.success(.init(linkType: live.linkType, interrupter: live.interrupter)))
                Self.take(from: live, into: ring, counts, milliseconds: nanoseconds.map { Int($0 / 1_000_000) })
            } catch {
                opening.settle(.failure(error))
            }
        }
        opening.isDone.wait()
        guard let opened = try opening.result.withLock({ $0 })?.get() else {
            preconditionFailure("the thread says how opening went before it goes on")
        }
        interrupter = opened.interrupter
        linkType = opened.linkType
        self.ring = ring
        self.counts = counts
    }

    deinit { ring.close() }

    /// The next packets, in place of those in the batch; none, if none came for 100 ms. False at the end.
    package func next(into batch: inout PacketBatch) throws(CaptureError) -> Bool {
        try ring.next(into: &batch, milliseconds: 100)
    }

    /// Counts of what was taken and dropped so far; whole after `next` returned false.
    package var statistics: LiveStatistics {
        var statistics = counts.now.withLock { $0.statistics }
        statistics.droppedByRing = ring.dropped
        return statistics
    }

    /// What is known of the packets taken so far, dropped ones among them. What the interface dropped is not in it:
    /// Linux counts there what nobody listens for, such as LLDP, so it proves no loss.
    package var health: CaptureHealth {
        var health = counts.now.withLock { $0.health }
        health.packetsDropped += ring.dropped
        return health
    }

    // MARK: The thread

    private static func take(
        from live: LiveCapture, into ring: PacketRing, _ counts: Counts, milliseconds: Int?
    ) {
        let start = PcapHandle.monotonicMilliseconds()
        var lastPublished = start
        var batch = PacketBatch()
        var failure: CaptureError?
        do throws(CaptureError) {
            while try live.next(into: &batch), !ring.isClosed {
                ring.offer(&batch)
                let now = PcapHandle.monotonicMilliseconds()
                // libpcap opens files for its counts, so they are not asked for with every batch.
                if now - lastPublished >= 100 {
                    publish(live, counts)
                    lastPublished = now
                }
                if let milliseconds, now - start >= milliseconds { live.interrupter.interrupt() }
            }
            // At the end the kernel keeps the rest until there is room.
            ring.put(&batch)
            while !ring.isClosed, try live.drain(into: &batch) { ring.put(&batch) }
        } catch {
            failure = error
        }
        ring.put(&batch)
        publish(live, counts)
        ring.end(failure)
    }

    private static func publish(_ live: LiveCapture, _ counts: Counts) {
        let (statistics, health) = (live.statistics, live.health)
        counts.now.withLock { $0 = (statistics, health) }
    }
}
