import Etcd
import Glibc
import HTTP2
import NIOCore
import NIOPosix
import Replay

/// One connection of the replay with a member, made anew at the next endpoint whenever it is lost. All of it runs on
/// the event loop's thread.
final class EtcdConnection {
    enum State { case idle, connecting, ready, pausing, closed }

    let number: Int
    let backend: EtcdBackend
    var state = State.idle
    var channel: (any Channel)?
    var machine = ClientConnection()
    /// What was not handed to the channel yet.
    var out: [UInt8] = []
    private var events: [ClientEvent] = []
    /// Places in the machine's lists of fields by method number; −1: none yet.
    private var lists: [Int] = []

    var calls: [EtcdCall] = []
    private var freeSlots: [Int] = []
    /// Slots of open streams by the plan's numbers.
    var streams: [UInt32: Int] = [:]
    /// Whether the backend knows that there is something to flush.
    var isDirty = false
    /// Calls whose request is in `out`.
    var unsent: [(slot: Int, generation: UInt32)] = []
    /// Calls in the order of their deadlines, from `firstDeadline` on.
    private var deadlines: [(slot: Int, generation: UInt32)] = []
    private var firstDeadline = 0
    /// Requests that wait for a connection or for a stream.
    var queue: [QueuedRequest] = []
    var queuedBytes = 0

    /// Attempts since the connection last stood.
    var attempts = 0
    private var endpointNumber: Int
    /// Why it was lost or could not be made.
    var reason = "the connection was closed by the server"
    /// The first error of the present channel, and what the server said when it began to close it.
    private var channelError: (any Error)?
    private var farewell: String?
    /// Ends an attempt that takes too long.
    private var dialTimer: Scheduled<Void>?
    /// When something came last, and when the server was asked since whether it is there; 0: it was not.
    private var lastReceived: Int64 = 0
    private var pinged: Int64 = 0

    struct QueuedRequest {
        var slot: Int
        var generation: UInt32
        var method: MethodNumber
        var bytes: [UInt8]
        var endStream: Bool
    }

    init(_ number: Int, of backend: EtcdBackend) {
        self.number = number
        self.backend = backend
        endpointNumber = number
    }

    var endpoint: EtcdEndpoint { backend.options.endpoints[endpointNumber % backend.options.endpoints.count] }

    // MARK: Slots

    func takeSlot(_ kind: OperationKind, isStream: Bool) -> Int {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = calls.count
            calls.append(EtcdCall())
        }
        calls[slot].begin(kind, isStream: isStream)
        return slot
    }

    func free(_ slot: Int) {
        if calls[slot].isStream { streams[calls[slot].planStream] = nil }
        calls[slot].isOpen = false
        freeSlots.append(slot)
    }

    // MARK: Sending

    /// Sends a request, or keeps it until it can be.
    func send(_ slot: Int, _ method: MethodNumber, _ bytes: [UInt8], endStream: Bool) {
        if state == .ready, queue.isEmpty, sendNow(slot, method, bytes, endStream: endStream) { return }
        guard state != .closed, queuedBytes + bytes.count <= backend.options.limits.queuedBytes else {
            return backend.fail(
                self, slot, GRPCStatus.unavailable, .connectionLost, "too many requests wait: \(reason)")
        }
        queuedBytes += bytes.count
        queue.append(
            QueuedRequest(
                slot: slot, generation: calls[slot].generation, method: method, bytes: bytes, endStream: endStream))
    }

    private func sendNow(_ slot: Int, _ method: MethodNumber, _ bytes: [UInt8], endStream: Bool) -> Bool {
        if calls[slot].stream == 0 {
            let list = fieldList(method)
            guard
                let stream = machine.open(
                    list, bytes.span, endStream: endStream, tag: UInt32(slot), into: &out)
            else { return false }
            calls[slot].stream = stream
        } else {
            guard machine.send(bytes.span, on: calls[slot].stream, endStream: endStream, into: &out) else {
                return false
            }
        }
        unsent.append((slot, calls[slot].generation))
        backend.mark(dirty: self)
        return true
    }

    /// Sends what waits, as far as it can be.
    func sendQueued() {
        guard !queue.isEmpty, state == .ready else { return }
        var sent = 0
        for item in queue {
            if calls[item.slot].isOpen, calls[item.slot].generation == item.generation {
                guard sendNow(item.slot, item.method, item.bytes, endStream: item.endStream) else { break }
            }
            queuedBytes -= item.bytes.count
            sent += 1
        }
        queue.removeFirst(sent)
    }

    private func fieldList(_ method: MethodNumber) -> Int {
        let place = Int(method.rawValue)
        while lists.count <= place { lists.append(-1) }
        if lists[place] < 0 { lists[place] = machine.fieldLists.add(backend.fields(of: method, at: endpoint)) }
        return lists[place]
    }

    /// The token changed.
    func renewFields() {
        for (place, list) in lists.enumerated() where list >= 0 {
            let method = MethodNumber(rawValue: UInt16(place))
            machine.fieldLists.replace(list, by: backend.fields(of: method, at: endpoint))
        }
    }

    /// Hands everything to the channel, in one piece, and notes when.
    func flush() {
        isDirty = false
        guard let channel, !out.isEmpty else { return }
        var buffer = channel.allocator.buffer(capacity: out.count)
        buffer.writeBytes(out)
        out.removeAll(keepingCapacity: true)
        channel.writeAndFlush(buffer, promise: nil)
        if !channel.isWritable, let count = try? channel.syncOptions?.getOption(.bufferedWritableBytes),
            count > backend.options.limits.unsentBytes
        {
            note(SystemFailure(code: ENOBUFS))
        }
        let now = backend.now
        for item in unsent where calls[item.slot].generation == item.generation {
            if calls[item.slot].isStream {
                for place in calls[item.slot].pending.indices where calls[item.slot].pending[place].sent == 0 {
                    calls[item.slot].pending[place].sent = now
                }
            } else {
                calls[item.slot].request.sent = now
            }
        }
        unsent.removeAll(keepingCapacity: true)
    }

    // MARK: Connecting

    /// Begins to connect, to the next endpoint if the last attempt failed.
    func connect() {
        state = .connecting
        machine = ClientConnection()
        out.removeAll(keepingCapacity: true)
        unsent.removeAll(keepingCapacity: true)
        lists.removeAll(keepingCapacity: true)
        channelError = nil
        farewell = nil
        pinged = 0
        backend.dial(self)
    }

    func begin(on channel: any Channel) {
        self.channel = channel
        machine.start(into: &out)
        flush()
        let attempt = ObjectIdentifier(channel)
        let patience = TimeAmount.nanoseconds(backend.options.dialTimeout)
        dialTimer = LoopThread.at(.now() + patience, on: backend) { _ in
            guard self.state == .connecting, let channel = self.channel, ObjectIdentifier(channel) == attempt else {
                return
            }
            self.note(ChannelError.connectTimeout(patience))
        }
    }

    func note(_ error: any Error) {
        if channelError == nil { channelError = error }
        channel?.close(promise: nil)
    }

    /// The channel is no more, or never was: what is in flight is over, and another attempt follows.
    func lose(_ error: (any Error)? = nil) {
        guard state == .connecting || state == .ready else { return }
        let wasReady = state == .ready
        channel = nil
        reason =
            farewell
            ?? EtcdFailure.reason(error ?? channelError, at: endpoint, machine.failure, wasReady: wasReady)
        endpointNumber += 1
        if wasReady { attempts = 0 }
        attempts += 1
        state = .pausing
        let inFlight = Set(queue.map { $0.slot })
        for slot in calls.indices where calls[slot].isOpen && (calls[slot].stream != 0 || !inFlight.contains(slot)) {
            backend.fail(self, slot, GRPCStatus.unavailable, .connectionLost, reason)
        }
        backend.retry(self)
    }

    /// Gives up all calls: nobody is there any more to be told of them.
    func abandonCalls() {
        for slot in calls.indices where calls[slot].isOpen && !calls[slot].request.isOwn {
            if calls[slot].stream != 0 { machine.reset(calls[slot].stream, .cancel, into: &out) }
            free(slot)
        }
        backend.mark(dirty: self)
    }

    func close() {
        state = .closed
        for slot in calls.indices where calls[slot].isOpen {
            backend.fail(self, slot, GRPCStatus.unavailable, .connectionLost, "the replay ends")
        }
        queue.removeAll()
        machine.close(into: &out)
        flush()
        channel?.close(promise: nil)
    }

    // MARK: Receiving

    func receive(_ buffer: ByteBuffer) {
        let now = backend.now
        lastReceived = now
        pinged = 0
        events.removeAll(keepingCapacity: true)
        machine.receive(buffer.readableBytesUInt8Span, into: &events, out: &out)
        for event in events { take(event, buffer, now) }
        if !out.isEmpty { backend.mark(dirty: self) }
        if machine.isDraining, !calls.contains(where: { $0.isOpen && $0.stream != 0 && !$0.isStream }) {
            channel?.close(promise: nil)
        } else if !queue.isEmpty {
            sendQueued()
        }
    }

    private func take(_ event: ClientEvent, _ buffer: ByteBuffer, _ now: Int64) {
        let slot = Int(event.tag)
        switch event.kind {
        case .response:
            calls[slot].httpStatus = event.httpStatus
            if calls[slot].firstByte == 0 { calls[slot].firstByte = now }
        case .data:
            guard !calls[slot].isMalformed else { return }
            backend.read(self, slot, buffer.readableBytesUInt8Span.extracting(event.bytes), now)
        case .end:
            if calls[slot].firstByte == 0 { calls[slot].firstByte = now }
            var status = event.grpcStatus
            if status == ClientEvent.noStatus {
                let http = event.httpStatus == 0 ? calls[slot].httpStatus : event.httpStatus
                status = GRPCStatus.ofHTTP(http)
            }
            backend.end(self, slot, status, machine.text[event.text], now)
        case .reset, .refused:
            let status = event.kind == .refused ? GRPCStatus.unavailable : GRPCStatus.internalError
            let why =
                event.failure == .none
                ? "the server reset the stream: \(event.code.name)" : "the server \(event.failure.text)"
            backend.end(self, slot, status, Array(why.utf8)[...], now)
        case .ready:
            state = .ready
            // Not left to run out: the loop's timers are sorted at each of its turns.
            dialTimer?.cancel()
            dialTimer = nil
            attempts = 0
            backend.didConnect(self)
        case .goAway:
            let text = String(decoding: machine.text[event.text], as: UTF8.self)
            farewell = "\(endpoint.text): the server closes the connection: \(event.code.name) \(text)"
        case .failed: channel?.close(promise: nil)
        }
    }

    // MARK: Time

    /// Takes note that the call is to be over in time.
    func watch(_ slot: Int) {
        while firstDeadline < deadlines.count, !isWaiting(deadlines[firstDeadline]) { firstDeadline += 1 }
        if firstDeadline > 1024, firstDeadline * 2 > deadlines.count {
            deadlines.removeFirst(firstDeadline)
            firstDeadline = 0
        }
        deadlines.append((slot, calls[slot].generation))
    }

    private func isWaiting(_ item: (slot: Int, generation: UInt32)) -> Bool {
        calls[item.slot].isOpen && calls[item.slot].generation == item.generation
    }

    /// Asks a server that has been silent for long, while it owes answers, whether it is there, and gives the
    /// connection up if it says nothing (RFC 9113 §6.7; etcd takes it ill more often than every 5 s,
    /// `--grpc-keepalive-min-time`).
    func checkSilence(at now: Int64) {
        let limits = backend.options.limits
        guard state == .ready, machine.openStreams > 0 else { return }
        if pinged == 0, now - lastReceived > limits.silence {
            pinged = now
            machine.ping(into: &out)
            backend.mark(dirty: self)
        } else if pinged != 0, now - pinged > limits.pingTimeout {
            note(SystemFailure(code: ETIMEDOUT))
        }
    }

    /// Gives up what took too long.
    func giveUpLate(at now: Int64) {
        while firstDeadline < deadlines.count {
            let item = deadlines[firstDeadline]
            if isWaiting(item) {
                if calls[item.slot].request.deadline > now { break }
                if calls[item.slot].stream != 0 { machine.reset(calls[item.slot].stream, .cancel, into: &out) }
                backend.fail(self, item.slot, GRPCStatus.deadlineExceeded, .timedOut, "no answer in time")
                backend.mark(dirty: self)
            }
            firstDeadline += 1
        }
        for slot in streams.values.sorted() {
            while let first = calls[slot].pending.first, first.deadline <= now {
                calls[slot].pending.removeFirst()
                backend.answer(first, GRPCStatus.deadlineExceeded, .timedOut, "no answer in time")
            }
        }
    }
}

/// Hands what a channel hears to its connection.
final class EtcdChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: EtcdConnection

    init(_ connection: EtcdConnection) { self.connection = connection }

    func channelActive(context: ChannelHandlerContext) { connection.begin(on: context.channel) }
    func channelInactive(context: ChannelHandlerContext) { connection.lose() }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.receive(unwrapInboundIn(data)) }
    func channelReadComplete(context: ChannelHandlerContext) { connection.backend.didRead() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.note(error) }
}
