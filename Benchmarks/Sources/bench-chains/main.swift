// Clean reads of a NetCRAQ node over UDP on the loopback, beside an echo that does nothing but recvmmsg and sendmmsg,
// with datagrams of the same sizes, in turns.
//
// usage: bench-chains [READS] [ROUNDS] [node]    READS a round (200000), ROUNDS (5); node: without the echo, and with
//                                                few keys, so that what placing them allocates is little
//
// Prints nanoseconds of the answering thread's processor time a read, the ratio, and rates by the wall clock. Exit
// status 1: the ratio of the extended format is below 0.8.
import ChainRuntime
import Chains
import Foundation
import Wire

let arguments = CommandLine.arguments.dropFirst()
let numbers = arguments.compactMap(Int.init)
let reads = max(numbers.first ?? 200_000, 4 * Load.group) / Load.group * Load.group
let rounds = max(numbers.dropFirst().first ?? 5, 1)
let hasEcho = !arguments.contains("node")
let keyCount = hasEcho ? 4096 : Load.group

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

/// Requests for all keys, in groups of one system call, to `node`.
func requests(_ node: Endpoint, _ payload: (Int) -> [UInt8]) -> [Outbox] {
    (0..<keyCount / Load.group).map { group in
        var outbox = Outbox()
        for index in 0..<Load.group { outbox.add(payload(group * Load.group + index).span, to: node) }
        return outbox
    }
}

/// Echo and node in turns; answers the median of the ratios of processor time.
func compare(
    _ name: String, rounds: Int, reads: Int, replyBytes: Int, hasEcho: Bool, _ payload: (Int) -> [UInt8],
    node: Endpoint, _ statistics: () -> NodeStatistics, _ isRight: (Span<UInt8>) -> Bool
) throws -> Double {
    let sizes = "\(payload(0).count) to \(replyBytes) bytes"
    let asked = requests(node, payload)
    // The first one is not counted: memory is touched, outboxes grow.
    _ = try measureNode(statistics, asked, count: reads / 4, isRight)
    var ratios: [Double] = []
    for _ in 0..<rounds {
        let mine = try measureNode(statistics, asked, count: reads, isRight)
        var line =
            "\(name), \(sizes): node \(text(mine.processorNanoseconds, 0)) ns of processor time a read "
            + "(\(text(mine.perProcessorSecond, 0)) a processor second), \(text(mine.perSecond, 0)) a second, "
            + "\(text(mine.perBatch, 1)) a batch"
        if hasEcho {
            let echo = try measureEcho({ requests($0, payload) }, count: reads, replyBytes: replyBytes)
            let ratio = echo.processorNanoseconds / mine.processorNanoseconds
            ratios.append(ratio)
            line +=
                "; echo \(text(echo.processorNanoseconds, 0)) ns, \(text(echo.perSecond, 0)) a second, "
                + "\(text(echo.perBatch, 1)) a batch; ratio \(text(ratio, 3))"
        }
        print(line)
    }
    guard hasEcho else { return 0 }
    let result = median(ratios)
    print("\(name): \(text(result, 3)) of a bare echo, median of \(rounds)")
    return result
}

/// The default variant: a chain of three, read at its head.
func compareExtended(rounds: Int, reads: Int, hasEcho: Bool) throws -> Double {
    var configuration = LocalChainConfiguration(.cqx, nodes: 3)
    // Seldom enough that what heartbeats allocate does not hide what packets would.
    configuration.times.heartbeat = 1_000_000_000
    configuration.times.lease = 5_000_000_000
    configuration.times.suspicion = 5_000_000_000
    let chain = try LocalChain(configuration)
    defer { chain.stop() }
    let connection = try ChainConnection(to: chain)
    let names = (0..<keyCount).map { Array("key\($0)".utf8) }
    for name in names { _ = chain.controller.place(name, width: .bytes16) }
    guard try connection.wait(atMost: 60_000_000_000, until: { $0.keyCount == keyCount }) else {
        throw BenchFailure(description: "the keys were not placed")
    }
    for name in names {
        guard let key = connection.directory.key(named: name),
            try connection.perform(.write, key, value: [UInt8](repeating: 7, count: 16))?.outcome == .ok
        else { throw BenchFailure(description: "a key was not written") }
    }
    let epoch = connection.directory.group(0)?.epoch ?? 0
    let keys = names.compactMap { connection.directory.key(named: $0)?.key }
    return try compare(
        "NetCRAQ", rounds: rounds, reads: reads, replyBytes: 64, hasEcho: hasEcho,
        { index in
            var packet = ChainPacket(.read, key: keys[index], group: 0, epoch: epoch)
            packet.request = UInt32(index + 1)
            var bytes = [UInt8](repeating: 0, count: packet.byteCount(.cqx))
            packet.store(in: &bytes, at: 0, format: .cqx)
            return bytes
        }, node: chain.addresses[0].request, { chain.statistics()[0] },
        { reply in ChainPacket(reply, format: .cqx)?.status == .ok && reply.count == 64 && reply[63] == 7 })
}

/// The published format, at a node that is all of its chain.
func comparePaper(rounds: Int, reads: Int, hasEcho: Bool) throws {
    let (block, sockets) = try LoopbackBlock.bind(1)
    defer { withExtendedLifetime(block) {} }
    let address = sockets[0].address
    let network = PaperNetwork(
        own: address.address, switches: [address.address],
        clients: IPv4Network(address: 0x7f00_0000, prefixLength: 8))
    var machine = NetCRAQPaperSwitch(NetCRAQPaperOptions(), network: network, capacity: keyCount)
    machine.join([address.address])
    for key in 0..<UInt32(keyCount) {
        guard machine.insert(key) else { throw BenchFailure(description: "a key has no cells") }
    }
    let node = try NodeThread(machine, sockets: sockets[0], settings: NodeSettings(nodes: [address]))
    defer { node.stop() }
    let bytes = NetCRAQPaperPacket.byteCount
    _ = try compare(
        "NetCRAQ as published", rounds: rounds, reads: reads, replyBytes: bytes, hasEcho: hasEcho,
        { index in
            var bytes: [UInt8] = []
            NetCRAQPaperPacket(.read, key: UInt32(index)).append(to: &bytes)
            return bytes
        }, node: address.request, { node.statistics() },
        { reply in NetCRAQPaperPacket(reply)?.operation == .readReply })
}

do {
    let ratio = try compareExtended(rounds: rounds, reads: reads, hasEcho: hasEcho)
    try comparePaper(rounds: rounds, reads: reads, hasEcho: hasEcho)
    if hasEcho {
        print("asked: 0.8, \(ratio >= 0.8 ? "met" : "not met")")
        if ratio < 0.8 { exit(1) }
    }
} catch {
    print("bench-chains: \(error)")
    exit(4)
}
