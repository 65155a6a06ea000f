package import ChainRuntime
import Chains
import Etcd
package import Replay
import Wire

/// A chain as a store: `netcraq:4`, `netchain:4`, `netcraq://HOST:PORT`.
///
/// One client with many requests under way; its thread is the one that calls `run`. A call of one key is one request
/// to the chain, or two: a delete reads the key and takes out the version that it read, so that it can say whether
/// there was one, and a transaction whose comparison failed reads what is there instead. A request that a node could
/// not take, since earlier writes of the key are not committed everywhere yet, took no effect, and is made again after
/// a pause.
package final class ChainBackend: Backend {
    package let name: String
    let limits: ChainBackendLimits
    let patience: UInt64
    let client: any SingleKeyClient
    private let keys: [[UInt8]]
    /// Of `keys`; number n is the client's key n - 1.
    private(set) var names = ByteTable()

    private let values = ValueSource(seed: 0)
    private var value: [UInt8] = []
    var answer = StoreAnswer()
    var driver: (any StoreDriver)?

    /// By their places, which `free` ones have lost.
    var calls: [ChainCall] = []
    var free: [Int] = []
    /// Which run it is: ends of what an earlier one left are nobody's.
    private var run: UInt64 = 0
    /// Calls that wait for a session, and all that came after them, from `heldStart` on.
    private var held: [Int] = []
    private var heldStart = 0
    /// Calls that are made again after a pause.
    private var pausing: [Int] = []
    /// Calls begun since the last flush.
    private var unsent: [Int] = []
    /// What is answered without the chain.
    var refusals: [(number: UInt32, refusal: Refusal?)] = []
    /// Requests made again since their key was busy, and calls that took two steps.
    var busyRetries = 0
    var twoStepCalls = 0

    /// Starts nothing yet.
    package convenience init(_ options: ChainBackendOptions) {
        switch options.variant {
        case .default: self.init(options, VersionedClient(options))
        case .paperNetCRAQ(let paper):
            self.init(options, PaperKeyClient<NetCRAQPaperControl>(options, paper))
        case .paperNetChain(let paper):
            self.init(options, PaperKeyClient<NetChainPaperControl>(options, paper))
        }
    }

    init(_ options: ChainBackendOptions, _ client: any SingleKeyClient) {
        name = options.name
        keys = options.keys
        limits = options.limits
        patience = options.patience
        self.client = client
    }

    package var now: Int64 { Int64(clamping: SystemClock.monotonic) }
    package var revisionsAreOrdered: Bool { client.revisionsAreOrdered }
    package var counters: [BackendCounter] {
        [
            BackendCounter("requests made again, since earlier writes of the key were under way", busyRetries),
            BackendCounter("calls that took two requests, one after the other", twoStepCalls),
            BackendCounter("datagrams sent again", client.retransmissions),
        ].filter { $0.count > 0 }
    }

    /// The chain, if a default variant was started here.
    package var localChain: LocalChain? { (client as? VersionedClient)?.chain }

    // MARK: Opening and closing

    /// All connections are the one client: the chain's nodes do not know connections.
    package func open(connections: Int) throws(BackendError) {
        var own: [[UInt8]] = []
        for key in keys where !key.isEmpty && names.existingNumber(of: key.span) == 0 {
            _ = names.number(of: key.span)
            own.append(key)
        }
        do throws(BackendError) { try client.open(own) } catch {
            client.close()
            throw error
        }
    }

    package func close() { client.close() }

    // MARK: The loop

    package func run(_ driver: any StoreDriver) throws(BackendError) {
        SystemClock.wakePrecisely()
        begin(driver)
        defer { self.driver = nil }
        var request = StoreRequest()
        while true {
            driver.turn(at: now)
            repeat {
                answerRefused()
                while driver.next(into: &request) { submit(request) }
                flush()
            } while !refusals.isEmpty
            if driver.isDone { return }
            let due = driver.nextDue
            if due == .max, calls.count == free.count {
                throw BackendError(
                    .system, what: "cannot go on", location: name,
                    why: "nothing is due and nothing is to be answered, but the replay is not done")
            }
            let outstanding = calls.count - free.count
            repeat {
                try client.turn(until: min(UInt64(clamping: due), nextPause))
                while let end = client.nextEnd() {
                    // What an earlier run left is nobody's.
                    if end.tag >> 32 == run { receive(end, Int(end.tag & 0xffff_ffff)) }
                }
                resume()
                release()
                flush()
                // What the chain's controller says, and requests made again, are not the driver's business.
            } while calls.count - free.count == outstanding && refusals.isEmpty && now < due
        }
    }

    /// Forgets what an earlier driver left.
    private func begin(_ driver: any StoreDriver) {
        self.driver = driver
        run += 1
        calls.removeAll(keepingCapacity: true)
        free.removeAll(keepingCapacity: true)
        held.removeAll(keepingCapacity: true)
        heldStart = 0
        pausing.removeAll(keepingCapacity: true)
        unsent.removeAll(keepingCapacity: true)
        refusals.removeAll()
    }

    /// Sends what was begun, and takes down when: before the system is called, which on a loopback has a datagram at
    /// its destination, and may have the answer back, before it returns.
    private func flush() {
        let time = now
        for place in unsent { calls[place].sent = time }
        unsent.removeAll(keepingCapacity: true)
        client.flush()
    }

    // MARK: Requests

    private func submit(_ request: borrowing StoreRequest) {
        guard var shape = SingleKeyRequest(request) else {
            // The end of a stream that never was.
            if case .endStream = request.action { return refuse(request.number, nil) }
            return refuse(request.number, .notOneKey)
        }
        var key = 0
        switch shape.kind {
        case .countAll: if client.countKeys() == 0 { return refuse(request.number, nil) }
        case .comparePut, .compareDelete:
            if !client.comparesAndSets {
                return refuse(request.number, .noComparison)
            }
            fallthrough
        case .put, .read, .delete:
            key = Int(names.existingNumber(of: request.keys.bytes.span.extracting(request.keys.range(of: shape.key))))
            if key == 0 { return refuse(request.number, .unknownKey) }
            key -= 1
            if shape.kind == .put || shape.kind == .comparePut {
                // Room for the ID, by which a value can be told.
                shape.valueSize = max(shape.valueSize, 8)
                if shape.valueSize > client.valueBytes {
                    return refuse(request.number, .tooLarge)
                }
            }
        }
        let call = ChainCall(
            request.number, shape, key: key, deadline: SystemClock.monotonic + patience, pause: limits.pause)
        let place = free.popLast() ?? calls.count
        if place == calls.count { calls.append(call) } else { calls[place] = call }
        if heldStart < held.count || !canBegin(place) {
            held.append(place)
        } else {
            start(place)
        }
    }

    private func canBegin(_ place: Int) -> Bool {
        switch calls[place].request.kind {
        case .read, .delete, .countAll: client.canBegin(isRead: true)
        case .put, .comparePut, .compareDelete: client.canBegin(isRead: false)
        }
    }

    private func start(_ place: Int) {
        unsent.append(place)
        switch calls[place].request.kind {
        case .read, .delete, .countAll: begin(place, .read)
        case .put: begin(place, .write)
        case .comparePut: begin(place, .compareAndSet)
        case .compareDelete: begin(place, .compareAndDelete)
        }
        if unsent.count >= limits.sendsAtOnce { flush() }
    }

    /// Makes the call's next request to the chain.
    func begin(_ place: Int, _ kind: ClientRequest.Kind) {
        calls[place].step = kind
        let call = calls[place]
        value.removeAll(keepingCapacity: true)
        if kind == .write || kind == .compareAndSet {
            values.append(Int(call.request.valueSize), id: call.request.valueID, to: &value)
        }
        calls[place].requestBytes += client.headerBytes + Int64(value.count)
        let step = SingleKeyStep(
            kind: kind, key: call.key, expected: call.expected, id: call.request.valueID,
            tag: run << 32 | UInt64(place))
        if !client.begin(step, value: value) { pause(place) }
    }

    // MARK: Waiting

    /// Has the call's request made again after a while.
    func pause(_ place: Int) {
        calls[place].dueAt = SystemClock.monotonic + calls[place].pause
        calls[place].pause = min(2 * calls[place].pause, limits.pauseMax)
        pausing.append(place)
    }

    private var nextPause: UInt64 {
        var next = UInt64.max
        for place in pausing { next = min(next, calls[place].dueAt) }
        return next
    }

    /// Makes the requests again whose pause is over.
    private func resume() {
        if pausing.isEmpty { return }
        let now = SystemClock.monotonic
        let count = pausing.count
        var kept = 0
        for index in 0..<count {
            let place = pausing[index]
            if calls[place].dueAt <= now {
                begin(place, calls[place].step)
            } else {
                pausing[kept] = place
                kept += 1
            }
        }
        // Those that could not begin again stand behind the others.
        pausing.removeSubrange(kept..<count)
    }

    /// Begins calls that waited for a session, in their order.
    private func release() {
        while heldStart < held.count, canBegin(held[heldStart]) {
            start(held[heldStart])
            heldStart += 1
        }
        if heldStart == held.count {
            held.removeAll(keepingCapacity: true)
            heldStart = 0
        } else if heldStart > 4096, heldStart > held.count / 2 {
            held.removeSubrange(..<heldStart)
            heldStart = 0
        }
    }
}
