import ChainRuntime
import Chains

/// A client of either variant, as the bench needs it.
protocol Client: AnyObject {
    /// Begins a request for the `key`-th key; nil: too many are under way.
    func submit(isWrite: Bool, key: Int) -> UInt64?
    /// Waits for ends of requests, at most until `deadline`: number, whether it did what was asked, and when it ended.
    func collect(until deadline: UInt64, _ body: (UInt64, Bool, UInt64) -> Void) throws
}

/// Of a default variant, whose reads go to `entry` where the protocol lets them.
final class DefaultClient: Client {
    private let connection: ChainConnection
    private let keys: [PlacedKey]
    private let value = [UInt8](repeating: 7, count: 16)

    init(_ chain: LocalChain, _ names: [[UInt8]], entry: Int) throws {
        let node = chain.addresses[entry].address
        let connection = try ChainConnection(to: chain) { $0.reads = .node(node) }
        self.connection = connection
        let isThere = try connection.wait(atMost: 60_000_000_000) { $0.keyCount == names.count }
        keys = names.compactMap { connection.directory.key(named: $0) }
        guard isThere, keys.count == names.count else { throw BenchFailure(description: "the keys were not placed") }
    }

    func submit(isWrite: Bool, key: Int) -> UInt64? {
        connection.submit(
            ClientRequest(isWrite ? .write : .read, keys[key % keys.count]), value: isWrite ? value : [])
    }

    func collect(until deadline: UInt64, _ body: (UInt64, Bool, UInt64) -> Void) throws {
        try connection.collect(until: deadline) { result, _ in body(result.id, result.outcome == .ok, result.endedAt) }
    }
}

/// Of a paper variant; it hangs on `entry` and asks it, or sends its packets over it.
final class PaperBenchClient: Client {
    /// Requests under way of a key and operation are one a port.
    static let keys = 1024

    private let connection: PaperConnection
    private let entry: Int

    /// The address of a client that hangs on the node at `position`.
    static func address(_ position: Int) -> UInt32 { 0x7f00_0101 + UInt32(position) }

    init(
        _ nodes: [NodeAddress], _ speech: PaperProtocol, entry: Int, timeout: UInt64 = 200_000_000
    ) throws {
        connection = try PaperConnection(to: nodes, speech, address: Self.address(entry), ports: 2) {
            $0.timeout = timeout
            $0.attempts = 1
        }
        self.entry = entry
    }

    func submit(isWrite: Bool, key: Int) -> UInt64? {
        let number = UInt32(key % Self.keys) + 1
        return isWrite ? connection.write(number, 7, at: 0) : connection.read(number, at: entry)
    }

    func collect(until deadline: UInt64, _ body: (UInt64, Bool, UInt64) -> Void) throws {
        try connection.collect(until: deadline) { body($0.id, $0.isAnswered, $0.endedAt) }
    }
}

struct BenchFailure: Error, CustomStringConvertible {
    var description: String
}
