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
/// `perform`, or many, with `submit` and `collect`.
package final class ChainConnection {
    private let chain: LocalChain
    private let socket: DatagramSocket
    private let inbox: Mailbox<ControlMessage>
    private let requestPorts: PortTable
    private let number: UInt64
    private var client: ChainClient
    private var output = ClientOutput()
    private var batch: DatagramBatch
    /// Datagrams from anywhere but a node's request port.
    package private(set) var foreign = 0
    package private(set) var sends = SendCounts()

    /// Opens a socket at `address` and asks for the directory. `change`: what differs from the usual configuration.
    package init(
        to chain: LocalChain, address: UInt32 = 0x7f00_0001, change: (inout ClientConfiguration) -> Void = { _ in }
    ) throws(SystemError) {
        self.chain = chain
        socket = try DatagramSocket(Endpoint(address: address, port: 0))
        inbox = try Mailbox()
        batch = try DatagramBatch(capacity: 64)
        requestPorts = .request(chain.addresses)
        var configuration = ClientConfiguration(format: chain.configuration.format)
        change(&configuration)
        client = ChainClient(configuration)
        number = chain.controller.open(inbox)
        client.begin(into: &output)
        perform()
    }

    deinit { chain.controller.close(number) }

    /// Where its requests come from.
    package var endpoint: Endpoint { socket.endpoint }
    package var directory: ClientDirectory { client.directory }
    package var pendingCount: Int { client.pendingCount }

    /// Begins a request; nil if too many are under way, or the value is wider than the key's class.
    package func submit(_ request: ClientRequest, value: [UInt8] = []) -> UInt64? {
        let id = client.submit(request, value: value.span, at: SystemClock.monotonic, into: &output)
        perform()
        return id
    }

    /// Waits until requests have ended, the directory has changed or `deadline` of the monotonic clock; `body` gets
    /// each end, with the value that was read.
    package func collect(until deadline: UInt64, _ body: (ClientResult, Span<UInt8>) -> Void) throws(SystemError) {
        perform()
        if output.results.isEmpty { try turn(until: deadline) }
        // What ended when it was submitted is there too; the next turn begins with an empty output.
        let results = output.results
        for result in results { body(result, output.values.span.extracting(result.value)) }
        output.results.removeAll(keepingCapacity: true)
        output.values.removeAll(keepingCapacity: true)
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
            try turn(until: deadline)
        }
        return true
    }

    // Turns.

    private func turn(until deadline: UInt64) throws(SystemError) {
        let first = SystemClock.monotonic
        let ready = try Readiness.wait(
            socket, nil, inbox.wakeup, until: min(deadline, client.nextDeadline ?? .max), now: first)
        if ready.contains(.wakeup) {
            for message in inbox.take() {
                client.receive(control: message, at: SystemClock.monotonic, into: &output)
            }
        }
        if ready.contains(.first) {
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
        perform()
    }

    /// Sends what the client wants sent; results stay.
    private func perform() {
        for message in output.control { chain.controller.receive(message, fromClient: number) }
        output.control.removeAll(keepingCapacity: true)
        if !output.outbox.isEmpty {
            batch.send(output.outbox, .edge, from: socket, to: requestPorts, counts: &sends)
            output.outbox.removeAll()
        }
    }
}
