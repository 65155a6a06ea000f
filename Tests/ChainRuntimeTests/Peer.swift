import ChainRuntime
import Chains
import Wire

/// A socket of a test: it sends any bytes to anybody, and takes what comes.
final class Peer {
    let socket: DatagramSocket
    private var batch: DatagramBatch

    init(address: UInt32 = 0x7f00_0001, port: UInt16 = 0) throws {
        socket = try DatagramSocket(Endpoint(address: address, port: port))
        batch = try DatagramBatch(capacity: 64)
    }

    func send(_ payloads: [[UInt8]], to destination: Endpoint) -> SendCounts {
        var outbox = Outbox()
        for payload in payloads { outbox.add(payload.span, to: destination) }
        var counts = SendCounts()
        batch.send(outbox, .edge, from: socket, to: nil, counts: &counts)
        return counts
    }

    /// Takes datagrams until `count` are there, or none comes for ten seconds.
    func take(_ count: Int) throws -> [(bytes: [UInt8], source: Endpoint)] {
        var taken: [(bytes: [UInt8], source: Endpoint)] = []
        while taken.count < count {
            let now = SystemClock.monotonic
            guard try !Readiness.wait(socket, nil, nil, until: now + 10_000_000_000, now: now).isEmpty else { break }
            try batch.receive(from: socket)
            batch.forEach(first: .max) { bytes, source, _ in taken.append((bytes.copied(), source)) }
        }
        return taken
    }

    /// Whether nothing waits at the socket.
    func hasNothing() throws -> Bool {
        try batch.receive(from: socket)
        return batch.count == 0
    }
}
