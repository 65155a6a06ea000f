package import Chains
import Glibc
import Synchronization
import Wire

/// How much a stream of the control interface may hold.
package enum ControlStreamLimits {
    /// Bytes that wait for the other side to read them. A directory of the most keys a controller takes, with names of
    /// a thousand bytes, is as long; who lets more pile up does not read.
    package static let queueBytes = 16 << 20
    /// Bytes taken from the system at a time: a stream that sends without end does not keep the others waiting.
    static let receiveBytes = 64 << 10
}

/// One side of a stream of frames. Any thread may send; one thread receives, and sends what the system did not take at
/// once when it can be written to.
package final class ControlStream: Sendable {
    private struct Output: Sendable {
        var bytes: [UInt8] = []
        /// What comes before was sent.
        var start = 0
        var isOver = false
        var isSlow = false

        var count: Int { bytes.count - start }
    }

    let descriptor: Int32
    private let output = Mutex(Output())
    /// Told when something waits that could not be sent at once, and when the stream is given up.
    private let wakeup: Wakeup?
    private let queueBytes: Int

    init(descriptor: Int32, wakeup: Wakeup?, queueBytes: Int = ControlStreamLimits.queueBytes) {
        self.descriptor = descriptor
        self.wakeup = wakeup
        self.queueBytes = queueBytes
    }

    /// Connects to a controller's port.
    package convenience init(to endpoint: Endpoint, wakeup: Wakeup? = nil) throws(SystemError) {
        self.init(descriptor: try StreamCalls.connect(to: endpoint), wakeup: wakeup)
    }

    deinit { StreamCalls.close(descriptor) }

    // Any thread.

    /// Sends a frame, or keeps it until the other side reads. Nothing is sent any more after too much was kept.
    package func send(_ frame: ControlFrame) {
        let isLeft = output.withLock { output in
            guard !output.isOver else { return false }
            let wasEmpty = output.count == 0
            if case .message(.directory(let update)) = frame {
                for part in update.parts { ControlFrame.message(.directory(part)).append(to: &output.bytes) }
            } else {
                frame.append(to: &output.bytes)
            }
            // Those who wait come first.
            if wasEmpty { flush(&output) }
            if output.count > queueBytes {
                output.isSlow = true
                close(&output)
            }
            return output.count > 0 || output.isOver
        }
        if isLeft { wakeup?.set() }
    }

    /// Sends no more, and has the receiving thread see the end.
    package func giveUp() {
        output.withLock { close(&$0) }
        wakeup?.set()
    }

    /// Whether something waits until the other side reads.
    package var hasOutput: Bool { output.withLock { $0.count > 0 } }

    /// Whether nothing is sent any more.
    package var isOver: Bool { output.withLock { $0.isOver } }

    /// Whether it was given up since the other side did not read.
    package var isSlow: Bool { output.withLock { $0.isSlow } }

    private func close(_ output: inout Output) {
        output.isOver = true
        output.bytes = []
        output.start = 0
        StreamCalls.shutDown(descriptor)
    }

    private func flush(_ output: inout Output) {
        while output.count > 0 {
            let sent = StreamCalls.send(output.bytes, from: output.start, to: descriptor)
            if sent > 0 {
                output.start += sent
            } else if sent == -Int(EAGAIN) {
                break
            } else {
                close(&output)
            }
        }
        if output.count == 0 {
            output.bytes.removeAll(keepingCapacity: output.bytes.capacity <= ControlStreamLimits.receiveBytes)
            output.start = 0
        } else if output.start > output.count {
            output.bytes.keep(only: output.start..<output.bytes.count)
            output.start = 0
        }
    }

    // The receiving thread.

    /// Sends what waits, as much as the system takes.
    package func flush() { output.withLock { flush(&$0) } }

    /// Takes what came; false: the other side has ended, or the stream was given up.
    package func receive(into reader: inout ControlFrameReader) -> Bool {
        var isOpen = true
        StreamCalls.receive(ControlStreamLimits.receiveBytes, from: descriptor) { bytes, result in
            if result > 0 {
                reader.receive(bytes)
            } else if result != -Int(EAGAIN) {
                isOpen = false
            }
        }
        return isOpen
    }

    /// Waits until it has something, or what waits can be sent, which it is then.
    package func wait(until deadline: UInt64) throws(SystemError) {
        var requests = [PollRequest(descriptor, wantsWrite: hasOutput), PollRequest(wakeup?.descriptor ?? -1)]
        try PollRequest.wait(&requests, until: deadline, now: SystemClock.monotonic)
        if requests[1].isReadable { wakeup?.clear() }
        if requests[0].isWritable { flush() }
    }

    /// Waits for the next frame; nil: the other side has ended, or said what is none.
    package func next(_ reader: inout ControlFrameReader) throws(SystemError) -> ControlFrame? {
        while true {
            do throws(ControlFormatError) {
                if let frame = try reader.next() { return frame }
            } catch {
                return nil
            }
            try wait(until: .max)
            if !receive(into: &reader) { return nil }
        }
    }

    /// Waits until nothing waits to be sent any more, or nobody reads it.
    package func drain(until deadline: UInt64) throws(SystemError) {
        while hasOutput, SystemClock.monotonic < deadline { try wait(until: deadline) }
    }
}
