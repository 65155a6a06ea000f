import Chains

/// UDP sockets of one address, each at a port of its own, that are waited for together.
struct SocketSet {
    let sockets: [DatagramSocket]
    private var requests: [PollRequest]

    init(address: UInt32, count: Int) throws(SystemError) {
        var sockets: [DatagramSocket] = []
        for _ in 0..<count { sockets.append(try DatagramSocket(Endpoint(address: address, port: 0))) }
        self.sockets = sockets
        requests = sockets.map { PollRequest($0.descriptor) }
    }

    /// Waits until one of them has datagrams, at most until `deadline` of the monotonic clock (`.max`: for ever).
    mutating func wait(until deadline: UInt64, now: UInt64) throws(SystemError) {
        try PollRequest.wait(&requests, until: deadline, now: now)
    }

    /// Whether the `index`-th had some at the end of the last `wait`.
    func isReadable(_ index: Int) -> Bool { requests[index].isReadable }
}
