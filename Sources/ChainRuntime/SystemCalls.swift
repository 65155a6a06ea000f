import CLinux
package import Chains
import Glibc

/// What the system refused, in its words.
package struct SystemError: Error, Equatable {
    /// `bind 127.0.0.10:8888`.
    package var what: String
    /// The system's number for it, `errno`.
    package var code: Int32

    package var words: String { unsafe String(cString: clinux_error_text(code)) }

    /// Somebody else has the address and port.
    package var isInUse: Bool { code == EADDRINUSE }

    /// A process that was started has ended before it was of use.
    static let endedEarly = ECHILD
    /// The other side of a stream has ended.
    static let streamEnded = ECONNRESET
}

/// Time as the system tells it, and where a thread runs.
package enum SystemClock {
    /// Nanoseconds of a clock that only grows.
    package static var monotonic: UInt64 { clinux_monotonic_time() }

    /// Nanoseconds that the calling thread has had of a processor.
    package static var ofThread: UInt64 { clinux_thread_time() }

    /// Lets waits of the calling thread end within a nanosecond, as far as the clock allows; the system's own choice is
    /// 50 microseconds (prctl, PR_SET_TIMERSLACK).
    package static func wakePrecisely() { clinux_timers_precise() }

    /// Keeps the calling thread on the `index`-th of the cores that the process may use, counted round. False: the
    /// system refused.
    package static func pinThread(to index: Int) -> Bool {
        clinux_pin_thread(UInt32(truncatingIfNeeded: index)) == 0
    }
}

/// A UDP socket of IPv4 that does not block.
package final class DatagramSocket: Sendable {
    /// Room for some ten thousand small datagrams, of which the system counts about 800 bytes each. Without privilege
    /// the system gives less.
    package static let receiveBytes = 8 << 20

    let descriptor: Int32
    /// Where it is bound.
    package let endpoint: Endpoint

    /// Binds a socket to `endpoint`; port 0 is the system's choice.
    package init(_ endpoint: Endpoint, receiveBytes: Int = DatagramSocket.receiveBytes) throws(SystemError) {
        let descriptor = clinux_socket_open(endpoint.address, endpoint.port, Int32(clamping: receiveBytes))
        guard descriptor >= 0 else { throw SystemError(what: "bind \(endpoint)", code: -descriptor) }
        self.descriptor = descriptor
        self.endpoint = Endpoint(
            address: endpoint.address, port: UInt16(truncatingIfNeeded: clinux_socket_port(descriptor)))
    }

    deinit { clinux_close(descriptor) }

    /// Datagrams that the system dropped since nobody took those before them.
    package var drops: Int { Int(max(0, clinux_socket_drops(descriptor))) }
}

/// Wakes up a thread that waits.
package final class Wakeup: Sendable {
    let descriptor: Int32

    package init() throws(SystemError) {
        descriptor = clinux_event_open()
        if descriptor < 0 { throw SystemError(what: "create an event", code: -descriptor) }
    }

    deinit { if descriptor >= 0 { clinux_close(descriptor) } }

    package func set() { clinux_event_set(descriptor) }

    package func clear() { clinux_event_clear(descriptor) }
}

/// Which of those that were waited for have something.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let first = Readiness(rawValue: 1)
    package static let second = Readiness(rawValue: 2)
    package static let wakeup = Readiness(rawValue: 4)

    /// Waits until a socket has datagrams or `wakeup` is set, at most until `deadline` of the monotonic clock (`.max`:
    /// for ever).
    package static func wait(
        _ first: DatagramSocket?, _ second: DatagramSocket?, _ wakeup: Wakeup?, until deadline: UInt64,
        now: UInt64
    ) throws(SystemError) -> Readiness {
        let time = deadline == .max ? UInt64.max : deadline > now ? deadline - now : 0
        let mask = clinux_wait_readable(
            first?.descriptor ?? -1, second?.descriptor ?? -1, wakeup?.descriptor ?? -1, time)
        guard mask >= 0 else { throw SystemError(what: "wait for datagrams", code: -mask) }
        return Readiness(rawValue: mask)
    }
}

/// What became of datagrams that were to be sent.
package struct SendCounts: Equatable, Sendable {
    package var sent = 0
    /// The system refused them, or they have no address here.
    package var failed = 0
    /// Dropped since the socket stayed full.
    package var dropped = 0
    /// Times that the socket was full.
    package var waits = 0

    package init() {}
}

/// Memory for a batch of datagrams, used again and again: those received last, and headers of those to send. Nothing
/// is allocated for a datagram.
@safe package struct DatagramBatch: ~Copyable {
    /// Longer datagrams are cut, and said to be. No format has more than an Ethernet frame holds.
    package static let datagramBytes = 2048
    /// How long to wait for a full socket before what is left of a batch is dropped: as long as it takes a loopback to
    /// move some hundred datagrams.
    static let fullSocketWait: UInt64 = 1_000_000

    package let capacity: Int
    /// Datagrams received last.
    package private(set) var count = 0
    private let memory: OpaquePointer
    private let received: UnsafePointer<clinux_datagram>

    package init(capacity: Int) throws(SystemError) {
        precondition(capacity > 0 && capacity <= 1024, "the system takes 1024 datagrams at a time")
        guard let memory = unsafe clinux_batch_create(UInt32(capacity), UInt32(Self.datagramBytes)),
            let received = unsafe clinux_batch_datagrams(memory)
        else { throw SystemError(what: "make room for datagrams", code: ENOMEM) }
        self.capacity = capacity
        unsafe self.memory = memory
        unsafe self.received = received
    }

    deinit { unsafe clinux_batch_destroy(memory) }

    /// Takes what waits at `socket`, up to `capacity`; what was received before is gone.
    package mutating func receive(from socket: DatagramSocket) throws(SystemError) {
        count = 0
        let result = unsafe clinux_batch_receive(memory, socket.descriptor)
        guard result >= 0 else { throw SystemError(what: "receive at \(socket.endpoint)", code: -result) }
        count = Int(result)
    }

    /// Shows the first `limit` datagrams received, in their order: the bytes, the source, and whether it was longer
    /// than `datagramBytes` and is cut.
    @inline(__always)
    package borrowing func forEach(first limit: Int, _ body: (Span<UInt8>, Endpoint, _ isCut: Bool) -> Void) {
        for index in 0..<min(limit, count) {
            let datagram = unsafe received[index]
            let source = unsafe Endpoint(address: datagram.address, port: datagram.port)
            let bytes = unsafe UnsafeBufferPointer(start: datagram.bytes, count: Int(datagram.length))
            body(unsafe bytes.span, source, unsafe datagram.is_cut != 0)
        }
    }

    /// Sends the datagrams of `outbox` that take `road` from `socket`, to the ports that `ports` has for their
    /// addresses, if it has any.
    package mutating func send(
        _ outbox: borrowing Outbox, _ road: Outbox.Road, from socket: DatagramSocket, to ports: PortTable?,
        counts: inout SendCounts
    ) {
        let datagrams = outbox.datagrams
        unsafe outbox.bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            var filled = 0
            for place in datagrams.indices where datagrams[place].road.rawValue == road.rawValue {
                var destination = datagrams[place].destination
                if let ports { destination.port = ports.port(of: destination.address) }
                guard destination.port != 0 else {
                    counts.failed += 1
                    continue
                }
                let range = datagrams[place].bytes
                unsafe clinux_batch_set(
                    memory, UInt32(filled), base + range.lowerBound, UInt32(range.count), destination.address,
                    destination.port)
                filled += 1
                if filled == capacity {
                    flush(filled, socket, &counts)
                    filled = 0
                }
            }
            flush(filled, socket, &counts)
        }
    }

    /// Sends what is set. One that the system refuses is left out; a full socket is waited for once.
    private func flush(_ count: Int, _ socket: DatagramSocket, _ counts: inout SendCounts) {
        var done = 0
        var hasWaited = false
        while done < count {
            let result = unsafe clinux_batch_send(memory, socket.descriptor, UInt32(done), UInt32(count - done))
            if result > 0 {
                done += Int(result)
                counts.sent += Int(result)
            } else if result == -EAGAIN {
                counts.waits += 1
                guard !hasWaited, clinux_wait_writable(socket.descriptor, Self.fullSocketWait) > 0 else {
                    counts.dropped += count - done
                    return
                }
                hasWaited = true
            } else {
                counts.failed += 1
                done += 1
            }
        }
    }
}

/// A descriptor to wait for, and what it turned out to be ready for.
package struct PollRequest {
    private var request: clinux_poll_request

    /// -1: nothing is waited for.
    init(_ descriptor: Int32, wantsWrite: Bool = false) {
        request = clinux_poll_request(
            descriptor: descriptor, wants_write: wantsWrite ? 1 : 0, is_readable: 0, is_writable: 0)
    }

    var isReadable: Bool { request.is_readable != 0 }
    var isWritable: Bool { request.is_writable != 0 }

    /// Waits until one of them is ready, at most until `deadline` of the monotonic clock (`.max`: for ever).
    static func wait(_ requests: inout [PollRequest], until deadline: UInt64, now: UInt64) throws(SystemError) {
        let time = deadline == .max ? UInt64.max : deadline > now ? deadline - now : 0
        let count = UInt32(requests.count)
        let result = unsafe requests.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return Int32(0) }
            return unsafe base.withMemoryRebound(to: clinux_poll_request.self, capacity: buffer.count) {
                unsafe clinux_poll($0, count, time)
            }
        }
        if result < 0 { throw SystemError(what: "wait for streams", code: -result) }
    }
}

/// Streams of TCP that do not block, by their descriptors.
enum StreamCalls {
    /// Takes connections at `endpoint`; port 0 is the system's choice.
    static func listen(at endpoint: Endpoint) throws(SystemError) -> (descriptor: Int32, endpoint: Endpoint) {
        let listener = clinux_stream_listen(endpoint.address, endpoint.port)
        guard listener >= 0 else { throw SystemError(what: "listen at \(endpoint)", code: -listener) }
        let port = UInt16(truncatingIfNeeded: clinux_socket_port(listener))
        return (listener, Endpoint(address: endpoint.address, port: port))
    }

    /// The next connection; nil: there is none now.
    static func accept(_ listener: Int32) throws(SystemError) -> Int32? {
        let stream = clinux_stream_accept(listener)
        if stream == -EAGAIN { return nil }
        guard stream >= 0 else { throw SystemError(what: "take a connection", code: -stream) }
        return stream
    }

    static func connect(to endpoint: Endpoint) throws(SystemError) -> Int32 {
        let stream = clinux_stream_connect(endpoint.address, endpoint.port)
        guard stream >= 0 else { throw SystemError(what: "connect to \(endpoint)", code: -stream) }
        return stream
    }

    /// Shows what came, at most `count` bytes, and what the system said: below 0 an error, 0 the end.
    static func receive(_ count: Int, from stream: Int32, _ body: (Span<UInt8>, Int) -> Void) {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { buffer in
            guard let base = buffer.baseAddress else { return }
            let result = Int(unsafe clinux_stream_receive(stream, base, UInt32(count)))
            let bytes = unsafe UnsafeBufferPointer(start: base, count: max(0, result))
            body(unsafe bytes.span, result)
        }
    }

    /// Bytes that were taken from `start` on; below 0 an error.
    static func send(_ bytes: [UInt8], from start: Int, to stream: Int32) -> Int {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, start < buffer.count else { return 0 }
            return Int(unsafe clinux_stream_send(stream, base + start, UInt32(buffer.count - start)))
        }
    }

    static func shutDown(_ stream: Int32) { clinux_stream_shut_down(stream) }

    static func close(_ stream: Int32) { clinux_close(stream) }
}

/// Processes that this one starts.
enum ProcessCalls {
    static var own: Int32 { clinux_process_own() }

    /// Runs `program`, with `input` as standard input; its id.
    static func start(_ program: String, _ arguments: [String], input: String) throws(SystemError) -> Int32 {
        var words: [UInt8] = []
        for word in [program] + arguments { words += Array(word.utf8) + [0] }
        words.append(0)
        let process = unsafe words.withUnsafeBufferPointer { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return -EINVAL }
            return unsafe base.withMemoryRebound(to: CChar.self, capacity: buffer.count) {
                unsafe clinux_process_start(program, $0, input)
            }
        }
        guard process > 0 else { throw SystemError(what: "start \(program)", code: -process) }
        return process
    }

    /// Waits until a child has ended. Its id stays its own until `reap`.
    static func wait(for process: Int32) { _ = clinux_process_wait(process) }

    static func reap(_ process: Int32) { clinux_process_reap(process) }

    static func signal(_ process: Int32, _ number: Int32) { clinux_process_signal(process, number) }

    /// Ends this process when the thread that started it ends. False: that was before.
    static func endWithParent(_ parent: Int32) -> Bool { clinux_process_end_with(parent) == 0 }
}
