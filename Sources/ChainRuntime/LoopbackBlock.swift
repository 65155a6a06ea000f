import Chains

/// Addresses of the loopback that one chain has for itself: 127.k.j.10 and those after it.
package final class LoopbackBlock: Sendable {
    /// Bound at 127.k.j.9 for as long as the block is in use: a node that ends leaves its address to nobody else.
    private let reservation: DatagramSocket

    private init(reservation: DatagramSocket) { self.reservation = reservation }

    /// Binds sockets for `count` nodes, 1 to 9, in the first block where nobody else is: several chains may run beside
    /// each other. Port 0: the system's choice.
    package static func bind(
        _ count: Int, requestPort: UInt16 = 8888, fabricPort: UInt16 = 8890
    ) throws(SystemError) -> (block: LoopbackBlock, sockets: [NodeSockets]) {
        var number: UInt32 = 0
        while true {
            let base = 0x7f00_0000 | number << 8
            do throws(SystemError) {
                let reservation = try DatagramSocket(
                    Endpoint(address: base | 9, port: Outbox.fabricPort), receiveBytes: 4096)
                var sockets: [NodeSockets] = []
                for index in 0..<UInt32(count) {
                    let address = base | (10 + index)
                    sockets.append(
                        try NodeSockets(address: address, requestPort: requestPort, fabricPort: fabricPort))
                }
                return (LoopbackBlock(reservation: reservation), sockets)
            } catch {
                number += 1
                guard error.isInUse, number < 65_536 else { throw error }
            }
        }
    }
}
