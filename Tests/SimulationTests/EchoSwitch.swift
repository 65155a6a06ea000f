import Chains
import Wire

/// A switch that passes every packet on to the next of its chain; the last one answers the client.
struct EchoSwitch: SwitchMachine {
    var index: Int
    var count: Int
    /// It sends itself nothing, but asks to be called every so often; 0: never.
    var period: UInt64 = 0
    private(set) var calls: [UInt64] = []
    private(set) var received: [UInt64] = []
    private(set) var counters = SwitchCounters()

    static func chain(_ count: Int, period: UInt64 = 0) -> [EchoSwitch] {
        (0..<count).map { EchoSwitch(index: $0, count: count, period: period) }
    }

    init(index: Int, count: Int, period: UInt64 = 0) {
        self.index = index
        self.count = count
        self.period = period
    }

    var nextDeadline: UInt64? { period == 0 ? nil : (calls.last ?? 0) + period }

    mutating func advance(to now: UInt64, into outbox: inout Outbox) { calls.append(now) }

    mutating func receive(
        request payload: Span<UInt8>, from client: Endpoint, at now: UInt64, into outbox: inout Outbox
    ) {
        pass(payload, of: client, at: now, into: &outbox)
    }

    mutating func receive(
        fabric datagram: Span<UInt8>, from address: UInt32, at now: UInt64, into outbox: inout Outbox
    ) {
        guard let frame = FabricFrame(datagram) else { return }
        pass(datagram.extracting(FabricFrame.byteCount..<datagram.count), of: frame.source, at: now, into: &outbox)
    }

    private mutating func pass(
        _ payload: Span<UInt8>, of client: Endpoint, at now: UInt64, into outbox: inout Outbox
    ) {
        received.append(now)
        guard index + 1 < count else {
            outbox.add(payload, to: client)
            return
        }
        let address = 0x7f00_000a + UInt32(index + 1)
        let frame = FabricFrame(source: client, destination: Endpoint(address: address, port: 8888))
        outbox.add(payload, behind: frame, toSwitch: address)
    }
}
