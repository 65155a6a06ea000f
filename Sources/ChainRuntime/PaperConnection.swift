package import Chains
import Wire

/// A client of a chain of a paper variant: sockets, whose ports are the only tags that the papers' packets have, and
/// the client machine, for one thread.
package final class PaperConnection {
    /// Ports of a connection unless more are asked for: enough for a key that is asked for again and again while its
    /// nodes are silent, eight tries of 50 ms whose ports rest for 200 ms each.
    package static let ports = 16

    private let nodes: [NodeAddress]
    private let requestPorts: PortTable
    private var sockets: SocketSet
    private let isNetChain: Bool
    private var client: PaperClient
    private var output = PaperClientOutput()
    /// Results of `output` that were given out.
    private var taken = 0
    /// What leaves from each socket.
    private var outboxes: [Outbox]
    private var batch: DatagramBatch
    /// The nodes that answered last, which are asked first the next time.
    private var readEntry: Int
    private var writeEntry = 0
    /// Datagrams from anywhere but a node's request port.
    package private(set) var foreign = 0
    package private(set) var sends = SendCounts()

    /// `nodes`: all of the chain, head first, failed ones too. `change`: what differs from the usual configuration.
    package init(
        to nodes: [NodeAddress], _ speech: PaperProtocol, address: UInt32 = 0x7f00_0001,
        ports: Int = PaperConnection.ports, change: (inout PaperClientConfiguration) -> Void = { _ in }
    ) throws(SystemError) {
        self.nodes = nodes
        requestPorts = .request(nodes)
        sockets = try SocketSet(address: address, count: ports)
        var configuration = PaperClientConfiguration(
            PaperCodec(speech, chain: nodes.map(\.address)), targets: nodes.count, tags: ports)
        change(&configuration)
        client = PaperClient(configuration)
        outboxes = Array(repeating: Outbox(), count: ports)
        batch = try DatagramBatch(capacity: 64)
        isNetChain = speech != .netCRAQ
        readEntry = isNetChain ? nodes.count - 1 : 0
    }

    package var pendingCount: Int { client.pendingCount }
    /// Requests that may be under way at once.
    package var requestsMax: Int { client.configuration.requestsMax }
    /// Times that a request found no port free.
    package var waits: Int { client.waits }

    /// Begins a read at `node`; nil: NetChain's at the one that answered last, the tail at first; NetCRAQ's at one
    /// after the other. Answers nil if too many requests are under way.
    package func read(_ key: UInt32, at node: Int? = nil) -> UInt64? {
        let id = beginRead(key, at: node)
        flush()
        return id
    }

    /// Begins a write at `node`; nil: the one that answered last, the head at first.
    package func write(_ key: UInt32, _ value: UInt128, at node: Int? = nil) -> UInt64? {
        let id = beginWrite(key, value, at: node)
        flush()
        return id
    }

    /// Waits until requests have ended or `deadline` of the monotonic clock; `body` gets each end.
    package func collect(until deadline: UInt64, _ body: (PaperResult) -> Void) throws(SystemError) {
        if output.results.isEmpty { try turn(until: deadline) }
        while let result = nextResult() { body(result) }
    }

    /// Waits for the end of request `id`, which the number of its tries bounds.
    package func result(of id: UInt64) throws(SystemError) -> PaperResult {
        while true {
            var found: PaperResult?
            try collect(until: .max) { if $0.id == id { found = $0 } }
            if let found { return found }
        }
    }

    // A loop of the caller's own.

    /// As `read`, sent by `flush` or the next turn.
    package func beginRead(_ key: UInt32, at node: Int? = nil, mark: UInt64 = 0) -> UInt64? {
        let entry = node ?? readEntry
        if node == nil, !isNetChain { readEntry = (readEntry + 1) % nodes.count }
        return begin(isWrite: false, key, 0, at: entry, mark)
    }

    /// As `write`, sent by `flush` or the next turn.
    package func beginWrite(_ key: UInt32, _ value: UInt128, at node: Int? = nil, mark: UInt64 = 0) -> UInt64? {
        begin(isWrite: true, key, value, at: node ?? writeEntry, mark)
    }

    private func begin(isWrite: Bool, _ key: UInt32, _ value: UInt128, at node: Int, _ mark: UInt64) -> UInt64? {
        client.begin(
            isWrite: isWrite, key: key, value: value, at: node, mark: mark, now: SystemClock.monotonic, into: &output)
    }

    /// The next request that has ended, each once; nil: none since. Requests may be begun between.
    package func nextResult() -> PaperResult? {
        guard taken < output.results.count else {
            taken = 0
            if !output.results.isEmpty { output.results.removeAll(keepingCapacity: true) }
            return nil
        }
        let result = output.results[taken]
        taken += 1
        if result.isAnswered {
            if result.isWrite { writeEntry = result.target } else if isNetChain { readEntry = result.target }
        }
        return result
    }

    /// Sends what is to be sent; then waits until something came, a request is due or `deadline` of the monotonic
    /// clock, and takes what came.
    package func turn(until deadline: UInt64) throws(SystemError) {
        flush()
        let end = min(deadline, client.nextDeadline ?? .max)
        try sockets.wait(until: end, now: SystemClock.monotonic)
        for tag in sockets.sockets.indices where sockets.isReadable(tag) {
            try batch.receive(from: sockets.sockets[tag])
            let now = SystemClock.monotonic
            batch.forEach(first: .max) { bytes, source, isCut in
                if requestPorts.contains(source), !isCut {
                    client.receive(bytes, tag: tag, at: now, into: &output)
                } else {
                    foreign += 1
                }
            }
        }
        client.advance(to: SystemClock.monotonic, into: &output)
        flush()
    }

    /// Hands what is to be sent to the system.
    package func flush() {
        guard !output.transmissions.isEmpty else { return }
        for transmission in output.transmissions {
            outboxes[transmission.tag].add(
                output.bytes.span.extracting(transmission.payload), to: nodes[transmission.target].request)
        }
        output.removeTransmissions()
        for tag in outboxes.indices where !outboxes[tag].isEmpty {
            batch.send(outboxes[tag], .edge, from: sockets.sockets[tag], to: nil, counts: &sends)
            outboxes[tag].removeAll()
        }
    }
}
