import CLinux
import Chains

/// UDP sockets of one address, each at a port of its own, that are waited for as one.
final class SocketSet: Sendable {
    /// One waits for so many at a time.
    static let socketsMax = 64

    let sockets: [DatagramSocket]
    private let descriptor: Int32

    /// Precondition: `count` is 1 to `socketsMax`.
    init(address: UInt32, count: Int) throws(SystemError) {
        precondition((1...Self.socketsMax).contains(count), "one waits for 1 to 64 sockets")
        var sockets: [DatagramSocket] = []
        for _ in 0..<count { sockets.append(try DatagramSocket(Endpoint(address: address, port: 0))) }
        self.sockets = sockets
        descriptor = clinux_set_open()
        guard descriptor >= 0 else { throw SystemError(what: "make a set of sockets", code: -descriptor) }
        for (index, socket) in sockets.enumerated() {
            let result = clinux_set_add(descriptor, socket.descriptor, UInt32(index))
            guard result == 0 else { throw SystemError(what: "wait for a socket", code: -result) }
        }
    }

    deinit { if descriptor >= 0 { clinux_close(descriptor) } }

    /// Waits until one of them has datagrams, at most until `deadline` of the monotonic clock (`.max`: for ever); the
    /// bits of those that have.
    func wait(until deadline: UInt64, now: UInt64) throws(SystemError) -> UInt64 {
        let time = deadline == .max ? UInt64.max : deadline > now ? deadline - now : 0
        let mask = clinux_wait_readable(descriptor, -1, -1, time)
        guard mask >= 0 else { throw SystemError(what: "wait for datagrams", code: -mask) }
        return mask == 0 ? 0 : clinux_set_ready(descriptor)
    }
}
