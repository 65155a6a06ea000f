import ChainRuntime
import Chains
import Replay

/// A chain of a default variant: versions as revisions, sessions, comparisons.
final class VersionedClient: SingleKeyClient {
    private let options: ChainBackendOptions
    /// The chain, if it was started here.
    private(set) var chain: LocalChain?
    private var connection: ChainConnection?
    /// Those of `open`, in their order, then others that were found.
    private var keys: [PlacedKey] = []
    private(set) var retransmissions = 0

    init(_ options: ChainBackendOptions) { self.options = options }

    var valueBytes: Int64 { Int64(options.width.byteCount) }
    var comparesAndSets: Bool { true }
    var revisionsAreOrdered: Bool { true }
    var headerBytes: Int64 { Int64(options.format.headerByteCount) }

    // MARK: Opening

    func open(_ names: [[UInt8]]) throws(BackendError) {
        let limits = ControllerLimits()
        if names.count > limits.keys {
            throw options.failure(
                "the run names \(names.count) keys, and a chain has room for \(limits.keys)",
                remedy: "Replay a part of the trace at a time.")
        }
        if let name = names.first(where: { $0.count > limits.nameBytes }) {
            throw options.failure("a key has \(name.count) bytes, and a chain takes \(limits.nameBytes)")
        }
        let connection = try options.system { () throws(SystemError) in try connect() }
        self.connection = connection
        guard connection.description.format == options.format else {
            throw options.failure("it is a chain of \(connection.description.format == .cqx ? "NetCRAQ" : "NetChain")")
        }
        guard try options.system({ () throws(SystemError) in try isFormed(connection) }) else {
            throw options.failure("no chain was formed in \(options.limits.opening / 1_000_000_000) s")
        }
        try place(names, connection)
        let isPrepared = try options.system { () throws(SystemError) in
            try connection.prepare(
                sessions: options.limits.sessions, until: SystemClock.monotonic + options.limits.opening)
        }
        guard isPrepared else { throw options.failure("its nodes do not answer, or there are no sessions left") }
    }

    private func connect() throws(SystemError) -> ChainConnection {
        let patience = options.patience
        switch options.place {
        case .local(let nodes):
            var configuration = LocalChainConfiguration(options.format, nodes: nodes)
            configuration.versions = options.versions
            configuration.times = options.times
            let chain = try LocalChain(configuration)
            self.chain = chain
            return try ChainConnection(to: chain) { $0.patience = patience }
        case .running(let control): return try ChainConnection(control: control) { $0.patience = patience }
        }
    }

    /// Waits for the chain; one that is started here is to have all its nodes.
    private func isFormed(_ connection: ChainConnection) throws(SystemError) -> Bool {
        let nodes = if case .local(let nodes) = options.place { nodes } else { 1 }
        return try connection.wait(atMost: options.limits.opening) {
            $0.group(0).map { $0.state == .active && $0.chain.count >= nodes } ?? false
        }
    }

    /// Has the chain serve all the keys, so many at a time, and waits until it does.
    private func place(_ names: [[UInt8]], _ connection: ChainConnection) throws(BackendError) {
        var next = 0
        while next < names.count {
            let end = min(names.count, next + options.limits.keysAtOnce)
            let isServed = try options.system { () throws(SystemError) in
                for place in next..<end where connection.directory.key(named: names[place]) == nil {
                    // One that cannot be placed may be on its way in already, for another client.
                    _ = try connection.place(names[place], width: options.width)
                }
                var served = next
                return try connection.wait(atMost: options.limits.opening) { directory in
                    while served < end, directory.key(named: names[served]) != nil { served += 1 }
                    return served == end
                }
            }
            guard isServed else {
                throw options.failure("the chain has no room for all of \(names.count) keys")
            }
            for place in next..<end {
                guard let key = connection.directory.key(named: names[place]), key.width == options.width else {
                    throw options.failure(
                        "key \(String(decoding: names[place], as: UTF8.self)) is served with room for other values",
                        remedy: "Say the same width as those who placed it, or take another chain.")
                }
                keys.append(key)
            }
            next = end
        }
    }

    func countKeys() -> Int {
        guard let directory = connection?.directory, directory.keyCount > keys.count else { return keys.count }
        let known = Set(keys.map(\.key))
        keys += directory.allKeys.filter { !known.contains($0.key) }
        return keys.count
    }

    func close() {
        connection = nil
        chain?.stop()
        chain = nil
    }

    // MARK: Requests

    func canBegin(isRead: Bool) -> Bool {
        guard let connection else { return false }
        return connection.pendingCount < connection.requestsMax && (isRead || connection.freeSessionCount > 0)
    }

    func begin(_ step: SingleKeyStep, value: [UInt8]) -> Bool {
        // A version that none can have is one that the key does not have.
        let expected = ChainRevision.version(of: step.expected) ?? ChainVersion(epoch: .max, number: .max)
        let request = ClientRequest(step.kind, keys[step.key], expected: expected, tag: step.tag)
        return connection?.begin(request, value: value) != nil
    }

    func flush() { connection?.flush() }

    func turn(until deadline: UInt64) throws(BackendError) {
        guard let connection else { return }
        try options.system { () throws(SystemError) in try connection.turn(until: deadline) }
    }

    func nextEnd() -> SingleKeyEnd? {
        guard let result = connection?.nextResult() else { return nil }
        retransmissions += max(0, result.transmissions - 1)
        return SingleKeyEnd(
            tag: result.tag, outcome: outcome(of: result), revision: ChainRevision.revision(of: result.version),
            size: Int64(result.value.count), time: result.endedAt)
    }

    private func outcome(of result: ClientResult) -> SingleKeyEnd.Outcome {
        switch result.outcome {
        case .ok: .ok
        case .absent: .absent
        case .refused(.mismatch): .mismatch
        case .refused(.busy), .refused(.outOfVersions): .busy
        case .refused(.tooLarge): .tooLarge
        case .refused: .refused
        case .unknown: result.endedAt - result.submittedAt >= options.patience ? .late : .unknown
        }
    }
}
