import Packets
import Wire

/// A scripted TCP connection: packets by stream offsets instead of sequence numbers, 1 ms apart.
struct Talk {
    var client: [UInt8] = [10, 0, 0, 1]
    var server: [UInt8] = [10, 0, 0, 2]
    var clientPort = 40_000
    var serverPort = 2379
    /// Initial sequence numbers.
    var clientISN: UInt32 = 1000
    var serverISN: UInt32 = 5000
    var milliseconds: Int64 = 0
    var listener = Listener()
    var optionBytes: [UInt8] = []

    var heard: [Listener.Heard] { listener.heard }
    var health: TrackerHealth { listener.tracker.health }

    /// A packet of the connection. `at` and `acknowledging` are offsets of the own and of the other direction.
    func packet(
        _ direction: Direction, _ payload: [UInt8] = [], at offset: Int = 0, acknowledging: Int? = 0,
        flags: Int = Flag.psh
    ) -> TestPacket {
        let isRequest = direction == .request
        let base = (isRequest ? clientISN : serverISN) &+ 1
        let peer = (isRequest ? serverISN : clientISN) &+ 1
        let start = flags & Flag.syn != 0 ? base &- 1 : base &+ UInt32(truncatingIfNeeded: offset)
        let segment = PacketBuilder.tcp(
            from: isRequest ? clientPort : serverPort, to: isRequest ? serverPort : clientPort, sequence: start,
            acknowledgement: acknowledging.map { peer &+ UInt32(truncatingIfNeeded: $0) } ?? 0,
            flags: (flags & Flag.syn != 0 ? flags & ~Flag.psh : flags) | (acknowledging == nil ? 0 : Flag.ack),
            options: optionBytes, payload: payload)
        return TestPacket(
            PacketBuilder.ipv4(from: isRequest ? client : server, to: isRequest ? server : client, payload: segment),
            milliseconds: milliseconds)
    }

    mutating func send(_ packet: TestPacket) {
        milliseconds += 1
        listener.receive(packet)
    }

    mutating func client(_ text: String = "", at offset: Int = 0, acknowledging: Int? = 0, flags: Int = Flag.psh) {
        send(packet(.request, Array(text.utf8), at: offset, acknowledging: acknowledging, flags: flags))
    }

    mutating func server(_ text: String = "", at offset: Int = 0, acknowledging: Int? = 0, flags: Int = Flag.psh) {
        send(packet(.response, Array(text.utf8), at: offset, acknowledging: acknowledging, flags: flags))
    }

    mutating func handshake() {
        client(acknowledging: nil, flags: Flag.syn)
        server(acknowledging: 0, flags: Flag.syn)
        client(flags: 0)
    }

    /// Pure acknowledgements, which count as packets of the connection.
    mutating func idle(_ count: Int, acknowledging: Int) {
        for _ in 0..<count { server(acknowledging: acknowledging, flags: 0) }
    }

    mutating func finish() { listener.finish() }
}
