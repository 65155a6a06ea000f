import Etcd
import HTTP2
import NIOCore
import NIOPosix
package import Replay
import Wire

/// A running etcd, asked over connections of our own: `etcd://HOST:PORT,...`, `etcds://...`.
///
/// One thread, the event loop's, has all connections and runs the driver while the thread that called `run` waits. In
/// each turn of the loop all sockets that have something are read, then the driver is asked once, and what it wants
/// sent goes out in one write a connection. Connection i begins with endpoint i modulo their number; one that is lost
/// is made anew at the next endpoint after a pause that grows. What was in flight on it is answered 14 (UNAVAILABLE);
/// nothing is sent twice.
package final class EtcdBackend: Backend {
    package let name: String
    let options: EtcdOptions
    private let group: MultiThreadedEventLoopGroup
    let loop: any EventLoop
    var connections: [EtcdConnection] = []
    let tls: EtcdTLS?
    var random: SplitMix64
    var writer: RequestWriter
    let callLimits = CallLimits()

    var driver: (any StoreDriver)?
    private var request = StoreRequest()
    var answer = StoreAnswer()
    /// Answers that are due before anything was sent.
    var unsentAnswers: [UnsentAnswer] = []
    private var dirty: [EtcdConnection] = []
    var hasAnswered = false
    private var isTurning = false
    private var timer: Scheduled<Void>?
    private var timerDue = Int64.max
    /// Tells the current timer from those before it.
    private var timerNumber: UInt64 = 0
    private var sweeper: RepeatedTask?
    private var finished: EventLoopPromise<Void>?
    var opening: EtcdOpening?
    var token: String?
    /// The answer to Authenticate, as it comes.
    var tokenBytes: [UInt8] = []
    var isAuthenticating = false
    var lacksRangeStream = false
    package internal(set) var ownCalls = OwnCalls()
    private var isClosed = false

    private static let range = MethodCatalogue.number(ofPath: Array("/etcdserverpb.KV/Range".utf8).span)

    struct UnsentAnswer {
        var pending: EtcdCall.Pending
        var status: UInt32
        var note: StoreAnswer.Note
        var text: String
    }

    /// Reads certificates and keys; throws if they cannot be used. Connects to nothing yet.
    package init(_ options: EtcdOptions) throws(BackendError) {
        name = options.name
        self.options = options
        tls = options.isSecure ? try EtcdTLS(options) : nil
        random = SplitMix64(seed: options.seed)
        writer = RequestWriter(values: ValueSource(seed: options.seed))
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        loop = group.next()
    }

    package var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

    // MARK: Opening and closing

    package func open(connections count: Int) throws(BackendError) {
        do {
            try LoopThread.run(self, on: loop) { backend, promise in
                MonotonicClock.wakePrecisely()
                backend.opening = EtcdOpening(promise: promise, waitingFor: max(1, count))
                backend.connections = (0..<max(1, count)).map { EtcdConnection($0, of: backend) }
                // One shows whether there is anybody, and fetches the token that all need.
                backend.connections[0].connect()
                backend.sweeper = LoopThread.every(.milliseconds(100), on: backend) { $0.sweep() }
            }
        } catch let error as BackendError {
            close()
            throw error
        } catch {
            close()
            throw BackendError(.system, what: "cannot connect", location: name, why: "\(error)")
        }
    }

    package func run(_ driver: any StoreDriver) throws(BackendError) {
        self.driver = driver
        do {
            try LoopThread.run(self, on: loop) { backend, promise in
                backend.finished = promise
                backend.turn()
            }
        } catch {
            throw BackendError(.system, what: "cannot go on", location: name, why: "\(error)")
        }
    }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        try? LoopThread.run(self, on: loop) { backend, promise in
            backend.sweeper?.cancel()
            backend.timer?.cancel()
            backend.driver = nil
            for connection in backend.connections { connection.close() }
            backend.connections = []
            promise.succeed(())
        }
        try? group.syncShutdownGracefully()
    }

    // MARK: The loop

    /// Asks the driver what is due, sends it, and sleeps until there is more to do.
    private func turn() {
        hasAnswered = false
        guard let driver, finished != nil else { return flush() }
        driver.turn(at: now)
        while driver.next(into: &request) { submit() }
        while !unsentAnswers.isEmpty {
            let answers = unsentAnswers
            unsentAnswers.removeAll(keepingCapacity: true)
            for item in answers { deliver(item) }
            while driver.next(into: &request) { submit() }
        }
        if driver.isDone {
            self.driver = nil
            unsentAnswers.removeAll()
            for connection in connections { connection.abandonCalls() }
            flush()
            let promise = finished
            finished = nil
            timer?.cancel()
            timer = nil
            timerDue = .max
            promise?.succeed(())
            return
        }
        flush()
        sleep(until: driver.nextDue)
    }

    private func sleep(until due: Int64) {
        guard due != timerDue else { return }
        timer?.cancel()
        timer = nil
        timerDue = due
        timerNumber &+= 1
        guard due != .max else { return }
        let number = timerNumber
        timer = LoopThread.at(NIODeadline.uptimeNanoseconds(UInt64(clamping: due)), on: self) { backend in
            // The loop runs a task that was cancelled when it had already been taken out of the queue. Such a one would
            // set a timer of its own beside the current one, and never be rid of it: they would become ever more.
            guard number == backend.timerNumber else { return }
            backend.timer = nil
            backend.timerDue = .max
            backend.turn()
        }
    }

    /// A channel has been read dry. The driver is asked when all of them have.
    func didRead() {
        if hasAnswered, !isTurning {
            isTurning = true
            LoopThread.soon(self) { backend in
                backend.isTurning = false
                backend.turn()
            }
        } else if !isTurning {
            flush()
        }
    }

    func mark(dirty connection: EtcdConnection) {
        guard !connection.isDirty else { return }
        connection.isDirty = true
        dirty.append(connection)
    }

    func flush() {
        for connection in dirty { connection.flush() }
        dirty.removeAll(keepingCapacity: true)
    }

    private func sweep() {
        let now = self.now
        for connection in connections {
            if options.callTimeout > 0 { connection.giveUpLate(at: now) }
            connection.checkSilence(at: now)
        }
        didRead()
        flush()
    }

    // MARK: Requests

    private func submit() {
        let connection = connections[Int(request.connection) % connections.count]
        var pending = EtcdCall.Pending(
            number: request.number, kind: request.kind, isEnd: request.action == .endStream,
            watchID: request.watchID, deadline: options.callTimeout > 0 ? now + options.callTimeout : .max,
            requestBytes: 0)
        var method = request.method
        var note = StoreAnswer.Note.none
        if request.kind == .rangeStream, lacksRangeStream {
            method = Self.range
            note = .fellBack
        }
        if request.action == .endStream {
            guard let slot = connection.streams[request.stream] else {
                return answer(pending, GRPCStatus.ok, .none, "")
            }
            if case .watch = connection.calls[slot].kind {
                pending.sent = now
                return cancel(connection, slot, pending)
            }
            connection.calls[slot].pending.append(pending)
            return connection.send(slot, method, [], endStream: true)
        }
        guard writer.write(request) else {
            return answer(pending, GRPCStatus.unimplemented, .unsupported, "not something to be asked again")
        }
        pending.requestBytes = Int64(writer.messageBytes)
        guard request.action == .message else {
            let slot = connection.takeSlot(note == .fellBack ? .range : request.kind, isStream: false)
            connection.calls[slot].request = pending
            connection.calls[slot].note = note
            if options.callTimeout > 0 { connection.watch(slot) }
            return connection.send(slot, method, writer.bytes, endStream: true)
        }
        let slot: Int
        if let open = connection.streams[request.stream] {
            slot = open
        } else {
            slot = connection.takeSlot(request.kind == .leaseKeepAlive ? .leaseKeepAlive : .watch, isStream: true)
            connection.calls[slot].planStream = request.stream
            connection.streams[request.stream] = slot
        }
        connection.calls[slot].pending.append(pending)
        connection.send(slot, method, writer.bytes, endStream: false)
    }

    /// Ends a watch stream as etcd's own clients do, by a reset: etcd reads the end of a client's side and goes on
    /// (server/etcdserver/api/v3rpc/watch.go, recvLoop).
    private func cancel(_ connection: EtcdConnection, _ slot: Int, _ end: EtcdCall.Pending) {
        connection.machine.reset(connection.calls[slot].stream, .cancel, into: &connection.out)
        mark(dirty: connection)
        let pending = connection.calls[slot].pending
        connection.free(slot)
        for item in pending { answer(item, GRPCStatus.cancelled, .none, "the stream was ended") }
        answer(end, GRPCStatus.ok, .none, "")
    }

    /// The fields of a request to that method (gRPC over HTTP/2, "Requests").
    func fields(of method: MethodNumber, at endpoint: EtcdEndpoint) -> [HPACKEncoder.Field] {
        var fields = [
            HPACKEncoder.Field(":method", "POST"), HPACKEncoder.Field(":scheme", tls == nil ? "http" : "https"),
            HPACKEncoder.Field(":path", MethodCatalogue.method(method)?.path ?? "/"),
            HPACKEncoder.Field(":authority", endpoint.text), HPACKEncoder.Field("content-type", "application/grpc"),
            HPACKEncoder.Field("te", "trailers"), HPACKEncoder.Field("user-agent", "kvreel"),
        ]
        if let token { fields.append(HPACKEncoder.Field("token", token, isSecret: true)) }
        return fields
    }
}

/// What `open` waits for.
struct EtcdOpening {
    var promise: EventLoopPromise<Void>
    var waitingFor: Int
    var connected = 0
}
