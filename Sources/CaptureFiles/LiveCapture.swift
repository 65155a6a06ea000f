import Synchronization
package import Wire

/// What is counted of a live capture, since its start.
package struct LiveStatistics: Sendable, Equatable {
    /// Packets that passed the filter.
    package var received: UInt64 = 0
    /// Of these, packets for which the kernel's buffer had no room.
    package var droppedByKernel: UInt64 = 0
    /// Packets that the interface or its driver dropped, of any kind.
    package var droppedByInterface: UInt64 = 0
    /// Packets that were taken from the kernel while the ring between taking and decoding was full.
    package var droppedByRing: UInt64 = 0

    package init() {}
}

/// Ends a live capture from another thread or from a signal handler.
package final class LiveCaptureInterrupter: Sendable {
    private let flag = Atomic<Bool>(false)

    package init() {}

    /// Sets a flag and nothing else, which a signal handler may do. `next` sees it after at most 100 ms.
    package func interrupt() { flag.store(true, ordering: .releasing) }

    package var isInterrupted: Bool { flag.load(ordering: .acquiring) }
}

/// Packets of some TCP ports, from a network interface as they come, through libpcap.
///
/// Belongs to one thread; only its `interrupter` may be used from others.
package final class LiveCapture {
    /// The kernel hands over a block of packets when it is full or this old, so this is also how late a packet is.
    private static let timeoutMilliseconds: Int32 = 100

    package let interrupter = LiveCaptureInterrupter()
    private let interface: String
    private let handle: PcapHandle
    private let bufferBytes: Int
    private var counted = CaptureHealth()
    private var lastStatistics = LiveStatistics()
    /// When draining may end, by the monotonic clock, and how many bytes it may still bring.
    private var drainDeadline: Int?
    private var drainBytes = 0

    /// Opens `interface` (or `any` for all of them) and keeps segments of `ports`, each cut at `snapLength` bytes. The
    /// kernel holds up to `bufferBytes` that have not been read yet.
    package init(
        interface: String, ports: [UInt16], snapLength: Int = CaptureLimits.snapLength,
        bufferBytes: Int = CaptureLimits.kernelBytes
    ) throws(CaptureError) {
        precondition(!ports.isEmpty, "a live capture is of some ports")
        self.interface = interface
        self.bufferBytes = bufferBytes
        do {
            // "any" has no promiscuous mode; elsewhere it serves a mirror port, as with tcpdump.
            handle = try PcapHandle(
                interface: interface, ports: PortFilter(ports: ports), snapLength: Int32(clamping: snapLength),
                bufferBytes: Int32(clamping: bufferBytes), timeoutMilliseconds: Self.timeoutMilliseconds,
                isPromiscuous: interface != "any")
        } catch {
            throw CaptureError(error, interface: interface)
        }
    }

    /// What the packets begin with.
    package var linkType: LinkType { handle.linkType }

    /// Appends the packets that are there until the batch is full; waits for some if there are none, but not longer
    /// than 100 ms.
    ///
    /// Returns `false`, and reads nothing, once the capture was interrupted; `drain` brings the rest then.
    package func next(into batch: inout PacketBatch) throws(CaptureError) -> Bool {
        if interrupter.isInterrupted { return false }
        if try fill(&batch) == 0, !batch.isFull {
            handle.wait(milliseconds: Self.timeoutMilliseconds)
            _ = try fill(&batch)
        }
        return true
    }

    /// Appends what the kernel held when this was first called, and what still comes while that is read, until the
    /// batch is full.
    ///
    /// To be called again while it returns `true`, with or without packets, but not with a full batch. It ends after
    /// the kernel had the time to hand over its last block and nothing is left, at the latest after one buffer full of
    /// bytes.
    package func drain(into batch: inout PacketBatch) throws(CaptureError) -> Bool {
        let now = PcapHandle.monotonicMilliseconds()
        let deadline: Int
        if let drainDeadline {
            deadline = drainDeadline
        } else {
            // A block is handed over when it is `timeoutMilliseconds` old; the kernel's timer may be late.
            deadline = now + 2 * Int(Self.timeoutMilliseconds)
            drainDeadline = deadline
            drainBytes = bufferBytes
        }
        guard drainBytes > 0 else { return false }
        var added = try fill(&batch)
        if added == 0 {
            guard now < deadline else { return false }
            handle.wait(milliseconds: Int32(clamping: deadline - now))
            added = try fill(&batch)
        }
        drainBytes -= added
        return true
    }

    /// Counts of the kernel and of libpcap.
    package var statistics: LiveStatistics {
        // A network interface that goes away takes its counts with it; the last ones stand.
        if let now = try? handle.statistics() { lastStatistics = now }
        return lastStatistics
    }

    /// What is known of the packets read so far, and how many the kernel dropped for want of room. Not those that the
    /// interface dropped: Linux counts there what nobody listens for, such as LLDP, so they prove no loss.
    package var health: CaptureHealth {
        var health = counted
        health.packetsDropped = statistics.droppedByKernel
        return health
    }

    /// How many bytes were appended.
    private func fill(_ batch: inout PacketBatch) throws(CaptureError) -> Int {
        let before = batch.storage.count
        do {
            while !batch.isFull, let packet = try handle.read(into: &batch.storage) {
                counted.packets += 1
                counted.packetBytes += packet.bytes.count
                if packet.originalLength > packet.bytes.count { counted.packetsCut += 1 }
                batch.packets.append(packet)
            }
        } catch {
            throw CaptureError(error, interface: interface)
        }
        return batch.storage.count - before
    }
}

extension CaptureError {
    /// What `failure` means to someone who named `interface`.
    init(_ failure: PcapFailure, interface: String) {
        let what = "cannot record"
        switch failure.kind {
        case .noPermission:
            self.init(
                kind: .noPermission, what: what, path: interface, why: "recording needs a privilege",
                remedy: "Run it as root, or once: setcap cap_net_raw+ep \"$(command -v kvreel)\"")
        case .noInterface:
            let names = PcapHandle.interfaceNames().joined(separator: ", ")
            self.init(
                kind: .noInterface, what: what, path: interface, why: "there is no such interface",
                remedy: names.isEmpty ? "" : "There are: \(names)")
        case .other:
            self.init(kind: .captureFailed, what: what, path: interface, why: failure.words)
        }
    }
}
