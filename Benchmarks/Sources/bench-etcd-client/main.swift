// How fast the client of a replay asks an etcd for one key, as fast as it can: the same requests as h2load's, so that
// both can be measured beside each other (scripts/bench-etcd-client). Prints a line of JSON.
// usage: bench-etcd-client HOST:PORT KEY REQUESTS CONNECTIONS STREAMS
import Backends
import Etcd
import Replay

/// Asks for a key with so many requests in flight, until so many were answered.
final class ClosedLoop: StoreDriver {
    private let key: [UInt8]
    private let connections: Int
    private var left: Int
    private var unanswered = 0
    private var free: [UInt32]
    private(set) var failures = 0
    private(set) var bytes: Int64 = 0

    init(key: [UInt8], requests: Int, connections: Int, streams: Int) {
        self.key = key
        self.connections = connections
        left = requests
        // A connection has the numbers that are its own modulo the connections.
        free = (0..<UInt32(connections * streams)).reversed()
    }

    func turn(at now: Int64) {}

    func next(into request: inout StoreRequest) -> Bool {
        guard left > 0, let number = free.popLast() else { return false }
        left -= 1
        unanswered += 1
        request.removeAll()
        request.number = number
        request.connection = number % UInt32(connections)
        request.kind = .range
        request.method = MethodNumber(rawValue: 2)
        request.body.kind = .range
        request.body.flags = .serializable
        let key = self.key
        request.body.key = request.keys.number(of: key.span, at: 0..<key.count)
        return true
    }

    func receive(_ answer: borrowing StoreAnswer) {
        unanswered -= 1
        free.append(answer.number)
        bytes += answer.responseBytes
        if answer.status != 0 || answer.details.answer.count != 1 { failures += 1 }
    }

    var nextDue: Int64 { .max }
    var isDone: Bool { left == 0 && unanswered == 0 }
}

let words = CommandLine.arguments
guard words.count == 6, let requests = Int(words[3]), let connections = Int(words[4]), let streams = Int(words[5])
else {
    print("usage: bench-etcd-client HOST:PORT KEY REQUESTS CONNECTIONS STREAMS")
    throw BackendError(.usage, what: "cannot begin", location: "arguments", why: "there are five")
}
let backend = try EtcdBackend(EtcdOptions(name: "etcd", addresses: [words[1]], isSecure: false))
try backend.open(connections: connections)
let load = ClosedLoop(key: Array(words[2].utf8), requests: requests, connections: connections, streams: streams)
let start = backend.now
try backend.run(load)
let seconds = Double(backend.now - start) / 1e9
backend.close()
print(
    "{\"requests\": \(requests), \"failures\": \(load.failures), \"bytes\": \(load.bytes), \"seconds\": \(seconds)}")
