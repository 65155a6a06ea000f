package import Chains
import Wire

/// What a blocking request came to.
package struct ChainAnswer: Equatable, Sendable {
    package var outcome: ClientOutcome
    package var version: ChainVersion
    /// Of a read that found one; else empty.
    package var value: [UInt8]
}

/// A client of a chain: a socket and the client machine, for one thread. Requests may be made one at a time, with
/// `perform`; many, with `submit` and `collect`; or in the caller's own loop, with `begin`, `flush`, `turn` and
/// `nextResult`.
package final class ChainConnection {
    private let link: ControlLink
    private let socket: DatagramSocket
    private let requestPorts: PortTable
    private var client: ChainClient
    private var output = ClientOutput()
    /// Results of `output` that were given out.
    private var taken = 0
    private var batch: DatagramBatch
    /// When the directory was asked for last.
    private var directoryAskedAt: UInt64 = 0
    /// Nanoseconds before it is asked for again. Each request that times out asks for it, hundreds do at once while a
    /// chain changes, and one of many keys takes milliseconds to take in; what has changed is pushed anyway.
    private static let directoryInterval: UInt64 = 20_000_000
    /// Datagrams from anywhere but a node's request port.
    package private(set) var foreign = 0
    package private(set) var sends = SendCounts()
    /// The chain's nodes, in its first order.
    package let description: ChainDescription

    /// Opens a socket at `address` and asks for the directory. `change`: what differs from the usual configuration.
    package convenience init(
        to chain: LocalChain, address: UInt32 = 0x7f00_0001, change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws(SystemError) {
        try self.init(try ControlLink(to: chain), address, change)
    }

    /// The same for a chain of another process, by its control interface.
    package convenience init(
        control: Endpoint, address: UInt32 = 0x7f00_0001, change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws(SystemError) {
        try self.init(try ControlLink(to: control), address, change)
    }

    private init(
        _ link: ControlLink, _ address: UInt32, _ change: (inout ClientConfiguration) -> Void
    ) throws(SystemError) {
        self.link = link
        description = link.description
        socket = try DatagramSocket(Endpoint(address: address, port: 0))
        batch = try DatagramBatch(capacity: 64)
        requestPorts = .request(description.nodes)
        var configuration = ClientConfiguration(format: description.format)
        change(&configuration)
        client = ChainClient(configuration)
        client.begin(into: &output)
        flush()
    }

    /// Where its requests come from.
    package var endpoint: Endpoint { socket.endpoint }
    package var directory: ClientDirectory { client.directory }
    package var pendingCount: Int { client.pendingCount }
    /// Requests that may be under way at once.
    package var requestsMax: Int { client.configuration.limits.requests }
    /// Sessions that no write has or waits for.
    package var freeSessionCount: Int { client.freeSessionCount }

    // A loop of the caller's own.

    /// Begins a request, which `flush` or the next turn sends; nil if too many are under way, or the value is wider
    /// than the key's class.
    package func begin(_ request: ClientRequest, value: [UInt8] = []) -> UInt64? {
        client.submit(request, value: value.span, at: SystemClock.monotonic, into: &output)
    }

    /// Hands what is to be sent to the system.
    package func flush() {
        if !output.control.isEmpty {
            for message in output.control where isToBeSent(message) { link.send(.message(message)) }
            output.control.removeAll(keepingCapacity: true)
        }
        if !output.outbox.isEmpty {
            batch.send(output.outbox, .edge, from: socket, to: requestPorts, counts: &sends)
            output.outbox.removeAll()
        }
    }

    private func isToBeSent(_ message: ControlMessage) -> Bool {
        guard case .subscribe = message else { return true }
        let now = SystemClock.monotonic
        guard directoryAskedAt == 0 || now - directoryAskedAt >= Self.directoryInterval else { return false }
        directoryAskedAt = now
        return true
    }

    /// Sends what is to be sent; then waits until something came, a request is due or `deadline` of the monotonic
    /// clock, and takes what came, up to `DatagramBatch.capacity` datagrams. While there is a result nothing is waited
    /// for.
    package func turn(until deadline: UInt64) throws(SystemError) {
        try takeTurn(until: taken < output.results.count ? 0 : deadline)
    }

    private func takeTurn(until deadline: UInt64) throws(SystemError) {
        flush()
        let isReadable = try link.wait(with: socket, until: min(deadline, client.nextDeadline ?? .max))
        for message in try link.take() {
            client.receive(control: message, at: SystemClock.monotonic, into: &output)
        }
        if isReadable {
            try batch.receive(from: socket)
            let now = SystemClock.monotonic
            batch.forEach(first: .max) { bytes, source, isCut in
                if requestPorts.contains(source), !isCut {
                    client.receive(bytes, from: source, at: now, into: &output)
                } else {
                    foreign += 1
                }
            }
        }
        client.advance(to: SystemClock.monotonic, into: &output)
        flush()
    }

    /// The next request that has ended, each once; nil: none since. Requests may be begun between.
    package func nextResult() -> ClientResult? {
        if taken < output.results.count {
            taken += 1
            return output.results[taken - 1]
        }
        taken = 0
        if !output.results.isEmpty {
            output.results.removeAll(keepingCapacity: true)
            output.values.removeAll(keepingCapacity: true)
        }
        return nil
    }

    /// Asks for so many sessions, and each node for the classes it takes, so that no later request waits for either.
    /// False: they were not had by `deadline` of the monotonic clock.
    package func prepare(sessions: Int, until deadline: UInt64) throws(SystemError) -> Bool {
        while !client.isPrepared(sessions: sessions) {
            let now = SystemClock.monotonic
            guard now < deadline else { return false }
            client.prepare(sessions: sessions, into: &output)
            let next = min(deadline, now + client.configuration.timeout)
            while !client.isPrepared(sessions: sessions), SystemClock.monotonic < next { try takeTurn(until: next) }
        }
        return true
    }

    // Requests, waited for.

    /// Begins a request and sends it; nil if too many are under way, or the value is wider than the key's class.
    package func submit(_ request: ClientRequest, value: [UInt8] = []) -> UInt64? {
        let id = begin(request, value: value)
        flush()
        return id
    }

    /// Waits until requests have ended, the directory has changed or `deadline` of the monotonic clock; `body` gets
    /// each end, with the value that was read.
    package func collect(until deadline: UInt64, _ body: (ClientResult, Span<UInt8>) -> Void) throws(SystemError) {
        // What ended when it was submitted is there already.
        if output.results.isEmpty { try takeTurn(until: deadline) } else { flush() }
        while let result = nextResult() { body(result, output.values.span.extracting(result.value)) }
    }

    /// Makes one request and waits for its end, which the client's patience bounds. One that the head refused since an
    /// earlier write of the key is not committed everywhere yet took no effect, and is made again. Nil: it could not
    /// begin.
    package func perform(
        _ kind: ClientRequest.Kind, _ key: PlacedKey, value: [UInt8] = [], expected: ChainVersion = .none
    ) throws(SystemError) -> ChainAnswer? {
        let (deadline, overflow) = SystemClock.monotonic.addingReportingOverflow(client.configuration.patience)
        while true {
            guard let id = submit(ClientRequest(kind, key, expected: expected), value: value) else { return nil }
            var answer: ChainAnswer?
            while answer == nil {
                try collect(until: .max) { result, value in
                    guard result.id == id else { return }
                    answer = ChainAnswer(outcome: result.outcome, version: result.version, value: value.copied())
                }
            }
            let isOver = !overflow && SystemClock.monotonic >= deadline
            guard case .refused(.busy) = answer?.outcome, !isOver else { return answer }
        }
    }

    /// Waits until `condition` holds of the directory, at most so many nanoseconds; whether it does.
    package func wait(
        atMost nanoseconds: UInt64, until condition: (ClientDirectory) -> Bool
    ) throws(SystemError) -> Bool {
        let deadline = SystemClock.monotonic + nanoseconds
        while !condition(client.directory) {
            guard SystemClock.monotonic < deadline else { return false }
            try takeTurn(until: deadline)
        }
        return true
    }

    // What the chain is asked beside requests.

    /// Begins to place a key; false: it is placed already, its name too long, or there is no room.
    package func place(_ name: [UInt8], width: WidthClass) throws(SystemError) -> Bool {
        if let local = link.local { return local.controller.place(name, width: width) }
        guard case .placed(let isPlaced) = try ask(.place(name: name, width)) else { return false }
        return isPlaced
    }

    /// Begins to take a key out.
    package func evict(_ name: [UInt8]) { link.send(.evict(name: name)) }

    /// What each node has counted.
    package func statistics() throws(SystemError) -> [NodeCounts] {
        if let local = link.local { return local.counts() }
        guard case .statistics(let counts) = try ask(.statisticsRequest) else { return [] }
        return counts
    }

    /// Asks the other process, and waits for its answer.
    private func ask(_ question: ControlFrame) throws(SystemError) -> ControlFrame {
        link.send(question)
        while true {
            if let answer = link.takeAnswer() { return answer }
            try takeTurn(until: .max)
        }
    }
}
