import ChainRuntime
import Chains

/// A generator of requests: a socket that keeps so many of them under way.
final class Load {
    /// Requests of one system call.
    static let group = 64
    /// Calls whose requests are under way together: as many as fill the node's batches.
    static let groups = 8
    /// After so many nanoseconds without a reply, those under way are taken for lost.
    private static let silence: UInt64 = 1_000_000_000

    private let socket: DatagramSocket
    private var batch: DatagramBatch
    private var counts = SendCounts()
    private(set) var replies = 0
    /// Replies that are not what was asked for.
    private(set) var wrong = 0
    private(set) var lost = 0

    init() throws {
        socket = try DatagramSocket(Endpoint(address: 0x7f00_0001, port: 0))
        batch = try DatagramBatch(capacity: Self.group)
    }

    /// Sends `count` requests, group after group of `requests`, and takes the replies; `isRight` looks at each.
    func run(
        _ count: Int, _ requests: [Outbox], _ isRight: (Span<UInt8>) -> Bool
    ) throws {
        var sent = 0
        var ended = 0
        var next = 0
        while ended < count {
            while sent < count, sent - ended <= Self.group * (Self.groups - 1) {
                batch.send(requests[next], .edge, from: socket, to: nil, counts: &counts)
                next = (next + 1) % requests.count
                sent += Self.group
            }
            let now = SystemClock.monotonic
            if try Readiness.wait(socket, nil, nil, until: now + Self.silence, now: now).isEmpty {
                lost += sent - ended
                ended = sent
                continue
            }
            try batch.receive(from: socket)
            ended += batch.count
            replies += batch.count
            batch.forEach(first: .max) { bytes, _, _ in if !isRight(bytes) { wrong += 1 } }
        }
    }

    /// Tells the echo to end.
    func end(_ echo: Endpoint) {
        var outbox = Outbox()
        outbox.add([0].span, to: echo)
        batch.send(outbox, .edge, from: socket, to: nil, counts: &counts)
    }
}
