import ChainRuntime
import Chains
import Testing
import Wire

@Suite("Datagrams in batches")
struct DatagramTests {
    private static let loopback: UInt32 = 0x7f00_0001

    private struct Received: Equatable {
        var bytes: [UInt8]
        var source: Endpoint
        var isCut = false
    }

    private func socket() throws -> DatagramSocket { try DatagramSocket(Endpoint(address: Self.loopback, port: 0)) }

    /// Takes batches until `count` datagrams are there or nothing comes for ten seconds.
    private func take(_ count: Int, from socket: DatagramSocket, capacity: Int = 8) throws -> [Received] {
        var batch = try DatagramBatch(capacity: capacity)
        var received: [Received] = []
        while received.count < count {
            let now = SystemClock.monotonic
            guard try !Readiness.wait(socket, nil, nil, until: now + 10_000_000_000, now: now).isEmpty else { break }
            try batch.receive(from: socket)
            #expect(batch.count <= capacity)
            batch.forEach(first: .max) { bytes, source, isCut in
                received.append(Received(bytes: bytes.copied(), source: source, isCut: isCut))
            }
        }
        return received
    }

    @Test("more datagrams than a batch holds arrive whole, in order, with their source")
    func order() throws {
        let sender = try socket()
        let receiver = try socket()
        var outbox = Outbox()
        let payloads = (0..<37).map { number in [UInt8](repeating: UInt8(number), count: number * 50) }
        for payload in payloads { outbox.add(payload.span, to: receiver.endpoint) }
        var batch = try DatagramBatch(capacity: 8)
        var counts = SendCounts()
        batch.send(outbox, .edge, from: sender, to: nil, counts: &counts)
        #expect(counts.sent == 37)
        let received = try take(37, from: receiver)
        #expect(received == payloads.map { Received(bytes: $0, source: sender.endpoint) })
    }

    @Test("a datagram of 2048 bytes is whole, a longer one is cut and says so")
    func length() throws {
        let sender = try socket()
        let receiver = try socket()
        var outbox = Outbox()
        for count in [2048, 2049] { outbox.add([UInt8](repeating: 7, count: count).span, to: receiver.endpoint) }
        var batch = try DatagramBatch(capacity: 8)
        var counts = SendCounts()
        batch.send(outbox, .edge, from: sender, to: nil, counts: &counts)
        let received = try take(2, from: receiver)
        #expect(received.map(\.bytes.count) == [2048, 2048])
        #expect(received.map(\.isCut) == [false, true])
    }

    @Test("roads go their own way, a fabric frame to the port of its switch")
    func roads() throws {
        let sender = try socket()
        let edge = try socket()
        let fabric = try socket()
        let frame = FabricFrame(source: edge.endpoint, destination: fabric.endpoint)
        var outbox = Outbox()
        outbox.add([1].span, to: edge.endpoint)
        outbox.add([2].span, behind: frame, toSwitch: Self.loopback)
        outbox.add([3].span, behind: frame, toSwitch: Self.loopback + 9)
        var batch = try DatagramBatch(capacity: 8)
        var counts = SendCounts()
        batch.send(outbox, .fabric, from: sender, to: PortTable([fabric.endpoint]), counts: &counts)
        // The second frame's switch has no port here.
        #expect(counts.sent == 1 && counts.failed == 1)
        batch.send(outbox, .edge, from: sender, to: nil, counts: &counts)
        #expect(counts.sent == 2 && counts.failed == 1)
        #expect(try take(1, from: edge).map(\.bytes) == [[1]])
        #expect(try take(1, from: fabric).map(\.bytes.count) == [FabricFrame.byteCount + 1])
    }

    @Test("one that the system refuses does not hold up those after it")
    func refusal() throws {
        let sender = try socket()
        let receiver = try socket()
        var outbox = Outbox()
        outbox.add([1].span, to: receiver.endpoint)
        outbox.add([UInt8](repeating: 0, count: 65_600).span, to: receiver.endpoint)
        outbox.add([2].span, to: receiver.endpoint)
        var batch = try DatagramBatch(capacity: 8)
        var counts = SendCounts()
        batch.send(outbox, .edge, from: sender, to: nil, counts: &counts)
        #expect(counts.sent == 2 && counts.failed == 1)
        #expect(try take(2, from: receiver).map(\.bytes) == [[1], [2]])
    }

    @Test("the system counts what it drops at a full socket")
    func drops() throws {
        let sender = try socket()
        let receiver = try DatagramSocket(Endpoint(address: Self.loopback, port: 0), receiveBytes: 4096)
        var outbox = Outbox()
        for _ in 0..<100 { outbox.add([UInt8](repeating: 0, count: 1000).span, to: receiver.endpoint) }
        var batch = try DatagramBatch(capacity: 100)
        var counts = SendCounts()
        batch.send(outbox, .edge, from: sender, to: nil, counts: &counts)
        try batch.receive(from: receiver)
        #expect(counts.sent == 100)
        #expect(batch.count > 0 && batch.count < 100)
        #expect(receiver.drops == 100 - batch.count)
    }

    @Test("an address and port are given out once")
    func inUse() throws {
        let first = try socket()
        #expect { try DatagramSocket(first.endpoint) } throws: { ($0 as? SystemError)?.isInUse == true }
    }

    @Test("a wait ends with the wakeup, and no earlier than it is set")
    func wakeup() throws {
        let wakeup = try Wakeup()
        let now = SystemClock.monotonic
        #expect(try Readiness.wait(nil, nil, wakeup, until: now, now: now).isEmpty)
        wakeup.set()
        #expect(try Readiness.wait(nil, nil, wakeup, until: .max, now: now) == .wakeup)
        wakeup.clear()
        #expect(try Readiness.wait(nil, nil, wakeup, until: now, now: now).isEmpty)
    }

    @Test("two chains on the loopback have addresses of their own")
    func addresses() throws {
        let (firstBlock, first) = try LoopbackBlock.bind(3)
        let (secondBlock, second) = try LoopbackBlock.bind(3)
        withExtendedLifetime((firstBlock, secondBlock)) {}
        let all = (first + second).map(\.address)
        #expect(Set(all.map(\.address)).count == 6)
        #expect(all.allSatisfy { $0.requestPort == 8888 && $0.fabricPort == 8890 })
        #expect(first.map { $0.address.address & 255 } == [10, 11, 12])
    }
}
