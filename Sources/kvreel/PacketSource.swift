import CaptureFiles
import Etcd
import Foundation
import Wire

/// Where packets come from: files that end, or an interface that does not.
struct PacketSource: ~Copyable {
    /// One of these.
    private let files: Files?
    private let ahead: ReadAhead?
    private let live: PacketTaker?

    /// The reader has one owner; the optional in front of it needs a reference.
    private final class Files {
        var reader: CaptureReader
        init(_ reader: consuming CaptureReader) { self.reader = reader }
    }

    /// Regular files are read and decompressed on a second processor, if there is one.
    init(files paths: [String]) throws {
        do throws(CaptureError) {
            let ahead = ProcessInfo.processInfo.activeProcessorCount > 1 ? try ReadAhead(paths: paths) : nil
            files = ahead == nil ? Files(try CaptureReader(paths: paths)) : nil
            self.ahead = ahead
            live = nil
        } catch { throw Failure(error) }
    }

    /// How an interface is recorded.
    struct Live {
        var interface: String
        var ports: [UInt16]
        var snapshotLength = CaptureLimits.snapLength
        /// Of the kernel's buffer, and of the ring behind it.
        var bufferBytes = CaptureLimits.kernelBytes
        /// The recording ends by itself after this time.
        var nanoseconds: UInt64?
    }

    init(_ options: Live) throws {
        do {
            live = try PacketTaker(
                interface: options.interface, ports: options.ports, snapLength: options.snapshotLength,
                bufferBytes: options.bufferBytes, ringBytes: options.bufferBytes, nanoseconds: options.nanoseconds)
        } catch { throw Failure(error) }
        files = nil
        ahead = nil
    }

    var isLive: Bool { live != nil }
    /// Whether it may bring nothing for long, and bring it all the same for hours.
    var isStream: Bool { live != nil || files?.reader.hasStreams == true }

    /// Ends a wait for packets; may be called from another thread.
    var interrupter: LiveCaptureInterrupter? { live?.interrupter }

    /// The next packets; false at the end. An interface and a pipe may give none for 100 ms. When `isStopping`, files
    /// end at once, and an interface gives what the kernel and the ring still hold.
    mutating func next(into batch: inout PacketBatch, isStopping: Bool) throws -> Bool {
        do {
            if let live {
                if isStopping { live.interrupter.interrupt() }
                return try live.next(into: &batch)
            }
            if isStopping { return false }
            if let ahead { return try ahead.next(into: &batch) }
            return try files?.reader.next(into: &batch) ?? false
        } catch {
            throw Failure(error)
        }
    }

    /// The regular files that are read.
    var regularFiles: [FileIdentity] { ahead?.regularFiles ?? files?.reader.regularFiles ?? [] }

    /// Bytes read of the files, and of how many, for the progress bar.
    var progress: (done: Int, total: Int?) {
        if let ahead { return (ahead.state.bytesRead, ahead.totalBytes) }
        return (files?.reader.bytesRead ?? 0, files?.reader.totalBytes)
    }

    var health: CaptureHealth { live?.health ?? ahead?.state.health ?? files?.reader.health ?? CaptureHealth() }

    /// The same for each file, or of the interface under the name given.
    func fileHealth(interface: String) -> [CaptureReader.FileHealth] {
        if let live { return [CaptureReader.FileHealth(name: interface, health: live.health)] }
        return ahead?.state.fileHealth ?? files?.reader.fileHealth ?? []
    }

    /// What the source counts of its own losses.
    struct Losses: Equatable {
        var droppedByKernel: UInt64 = 0
        var droppedByInterface: UInt64 = 0
        var droppedByRing: UInt64 = 0
        /// Damages of a file; its end within a packet is one.
        var damages = 0

        /// The same as the trace keeps it.
        var recordingHealth: RecordingHealth {
            var health = RecordingHealth()
            health[.packetsDroppedByKernel] = Int64(clamping: droppedByKernel)
            health[.packetsDroppedByInterface] = Int64(clamping: droppedByInterface)
            health[.packetsDroppedByRing] = Int64(clamping: droppedByRing)
            health[.captureDamages] = Int64(damages)
            return health
        }
    }

    var losses: Losses {
        var losses = Losses()
        let health = self.health
        if let live {
            let statistics = live.statistics
            losses.droppedByKernel = UInt64(clamping: statistics.droppedByKernel)
            losses.droppedByInterface = UInt64(clamping: statistics.droppedByInterface)
            losses.droppedByRing = UInt64(clamping: statistics.droppedByRing)
        } else {
            losses.droppedByKernel = UInt64(clamping: health.packetsDropped - health.packetsDroppedByInterface)
            losses.droppedByInterface = UInt64(clamping: health.packetsDroppedByInterface)
        }
        losses.damages = health.damages + (health.endsWithinPacket ? 1 : 0)
        return losses
    }
}
