import Chains
import Wire

/// One switch, and what it says to one datagram.
final class SwitchTable<Machine: SwitchMachine> {
    var machine: Machine
    let client = ScriptBench<Machine>.endpoint(ofClient: 1)

    init(_ machine: Machine) { self.machine = machine }

    /// The control plane does something, and gets this.
    func control<Result>(_ body: (inout Machine) -> Result) -> Result { body(&machine) }

    /// What a switch sends: which way, to whom, with which frame, and the payload.
    struct Sent: Equatable {
        var road: Outbox.Road
        var destination: Endpoint
        var frame: FabricFrame?
        var payload: [UInt8]
    }

    private func sent(_ outbox: Outbox) -> [Sent] {
        outbox.datagrams.map {
            Sent(
                road: $0.road, destination: $0.destination,
                frame: $0.road == .fabric ? FabricFrame(outbox.bytes.span.extracting($0.bytes)) : nil,
                payload: Array(outbox.bytes[$0.payload]))
        }
    }

    func request(_ payload: [UInt8], from source: Endpoint? = nil) -> [Sent] {
        var outbox = Outbox()
        machine.receive(request: payload.span, from: source ?? client, at: 0, into: &outbox)
        return sent(outbox)
    }

    func fabric(
        _ payload: [UInt8], to destination: Endpoint, ttl: UInt8 = 9, source: Endpoint? = nil,
        from address: UInt32 = 0x7f00_000b
    ) -> [Sent] {
        var bytes = Array(repeating: 0 as UInt8, count: FabricFrame.byteCount) + payload
        FabricFrame(ttl: ttl, source: source ?? client, destination: destination).store(in: &bytes, at: 0)
        return fabric(datagram: bytes, from: address)
    }

    func fabric(datagram: [UInt8], from address: UInt32 = 0x7f00_000b) -> [Sent] {
        var outbox = Outbox()
        machine.receive(fabric: datagram.span, from: address, at: 0, into: &outbox)
        return sent(outbox)
    }
}
