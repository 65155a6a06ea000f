// NetCRAQ beside NetChain over UDP on the loopback.
//
// usage: bench-protocols [writes COUNT]    writes: so many writes of each default variant and nothing printed, to
//                                          count allocations
//
// 1. The default variants, chains of 3 to 8: reads at head, middle and tail, and writes: rate and processor time with
//    64 under way, then latencies at half that rate.
// 2. The published variants in a line of 4 and 8, where packets cross the nodes between client and tail.
// 3. The same with nodes that take so many packets a second: the rate before replies are lost.
import CEcho
import ChainRuntime
import Chains
import Foundation
import Wire

let window = 64
let keyCount = 256
let closedTime: UInt64 = 250_000_000
let openTime: UInt64 = 500_000_000

func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

func text(_ value: Double, _ digits: Int = 0) -> String { String(format: "%.\(digits)f", value) }

func printHeader() {
    print(
        "nodes store    operation           op/s   us/op  busiest | samples    p50    p90    p99  p99.9     max us, at "
            + "half that rate")
}

/// A line of the table: closed loop, then half its rate.
func measure(
    _ nodes: Int, _ store: String, _ operation: String, _ load: Load, open: UInt64 = openTime
) throws {
    let most = try load.closed(window: window, for: closedTime)
    guard most.done > 0 else { throw BenchFailure(description: "\(store):\(nodes) \(operation): nothing was answered") }
    let half = try load.open(rate: most.rate / 2, warmUp: open / 5, for: open)
    var line = pad("\(nodes)", 5) + " " + store.padding(toLength: 9, withPad: " ", startingAt: 0)
    line += operation.padding(toLength: 14, withPad: " ", startingAt: 0) + pad(text(most.rate), 9)
    line += pad(text(most.cost, 2), 8) + pad(text(most.busiest, 2), 9) + " | " + pad("\(half.latencies.count)", 7)
    for share in [0.5, 0.9, 0.99, 0.999, 1] { line += pad(text(half.percentile(share)), share == 1 ? 8 : 7) }
    if most.failed + half.failed > 0 { line += ", \(most.failed + half.failed) without an answer" }
    print(line)
}

/// Positions that stand for head, middle and tail.
func entries(_ nodes: Int) -> [(String, Int)] { [("head", 0), ("middle", nodes / 2), ("tail", nodes - 1)] }

func defaultChain(_ format: ChainFormat, _ nodes: Int) throws -> (LocalChain, [[UInt8]]) {
    var configuration = LocalChainConfiguration(format, nodes: nodes)
    // A busy machine must not make nodes suspected.
    configuration.times.heartbeat = 1_000_000_000
    configuration.times.lease = 10_000_000_000
    configuration.times.suspicion = 10_000_000_000
    let chain = try LocalChain(configuration)
    let names = (0..<keyCount).map { Array("key\($0)".utf8) }
    for name in names { _ = chain.controller.place(name, width: .bytes16) }
    return (chain, names)
}

func fill(_ client: any Client, _ count: Int) throws {
    var left = 0
    for key in 0..<count where client.submit(isWrite: true, key: key) != nil { left += 1 }
    while left > 0 { try client.collect(until: .max) { _, _, _ in left -= 1 } }
}

func compareDefault() throws {
    print("\nkvreel's variants, each node asked directly; NetChain's reads are the tail's")
    printHeader()
    for nodes in 3...8 {
        for format in [ChainFormat.cqx, .ncx] {
            let (chain, names) = try defaultChain(format, nodes)
            defer { chain.stop() }
            let store = format == .cqx ? "NetCRAQ" : "NetChain"
            let writer = try DefaultClient(chain, names, entry: 0)
            try fill(writer, keyCount)
            let reads = format == .cqx ? entries(nodes) : [("tail", nodes - 1)]
            for (name, entry) in reads {
                let reader = try DefaultClient(chain, names, entry: entry)
                try measure(
                    nodes, store, "read, \(name)", Load(clients: [reader], isWrite: false, statistics: chain.statistics)
                )
            }
            try measure(nodes, store, "write", Load(clients: [writer], isWrite: true, statistics: chain.statistics))
        }
    }
}

func paperChain<Control: PaperControl>(
    _ control: Control.Type, _ options: Control.Options, _ nodes: Int, rate: Int? = nil, isLine: Bool = true
) throws -> LocalPaperChain<Control> where Control.Switch: NodeMachine {
    var configuration = PaperChainConfiguration<Control>(options, nodes: nodes)
    configuration.keys = PaperBenchClient.keys
    configuration.rate = rate
    if isLine { configuration.line = (0..<nodes).map { (client: PaperBenchClient.address($0), position: $0) } }
    return try LocalPaperChain(configuration)
}

func comparePaper() throws {
    print("\nas published, in a line: a packet crosses every node between its client's and the tail, and back")
    printHeader()
    for nodes in [4, 8] {
        try comparePaper("NetCRAQ", nodes, try paperChain(NetCRAQPaperControl.self, NetCRAQPaperOptions(), nodes))
        try comparePaper("NetChain", nodes, try paperChain(NetChainPaperControl.self, NetChainPaperOptions(), nodes))
    }
}

func comparePaper<Control: PaperControl>(_ store: String, _ nodes: Int, _ chain: LocalPaperChain<Control>) throws {
    defer { chain.stop() }
    for (name, entry) in entries(nodes) {
        let client = try PaperBenchClient(chain.addresses, chain.speech, entry: entry)
        let load = Load(clients: [client], isWrite: false, statistics: chain.statistics)
        try measure(nodes, store, "read, \(name)", load, open: openTime / 2)
    }
    let writer = try PaperBenchClient(chain.addresses, chain.speech, entry: 0)
    let load = Load(clients: [writer], isWrite: true, statistics: chain.statistics)
    try measure(nodes, store, "write", load, open: openTime / 2)
}

// Capacity.

let nodeRate = 4000

/// The highest rate of reads at which 99 % are answered, to a few percent: `bound` is what the packets say.
func capacity<Control: PaperControl>(_ chain: LocalPaperChain<Control>, _ entries: [Int], bound: Double) throws
    -> Double
where Control.Switch: NodeMachine {
    defer { chain.stop() }
    let clients = try entries.map {
        try PaperBenchClient(chain.addresses, chain.speech, entry: $0, timeout: 40_000_000)
    }
    let load = Load(clients: clients, isWrite: false, statistics: chain.statistics)
    var low = bound / 2
    var high = 2 * bound
    var reached = 0.0
    for _ in 0..<5 {
        let rate = (low * high).squareRoot()
        let result = try load.open(rate: rate, warmUp: 100_000_000, for: 250_000_000)
        if Double(result.failed) <= 0.01 * Double(result.done + result.failed) {
            low = rate
            reached = max(reached, result.rate)
        } else {
            high = rate
        }
    }
    return reached
}

func compareCapacity() throws {
    print(
        "\nas published, each node takes \(nodeRate) packets a second: reads a second before replies are lost (bound)")
    print("nodes network  clients at      NetCRAQ           NetChain          ratio")
    let rate = Double(nodeRate)
    for nodes in [4, 8] {
        for (network, isLine, places) in [
            ("line", true, [0]), ("line", true, Array(0..<nodes)), ("direct", false, Array(0..<nodes)),
        ] {
            let craq = rate * Double(places.count)
            // In a line the node before the tail sees requests and replies of all clients but the tail's own.
            let chain = isLine ? rate * Double(places.count) / Double(2 * min(places.count, nodes - 1)) : rate
            let first = try capacity(
                paperChain(NetCRAQPaperControl.self, NetCRAQPaperOptions(), nodes, rate: nodeRate, isLine: isLine),
                places, bound: craq)
            let second = try capacity(
                paperChain(NetChainPaperControl.self, NetChainPaperOptions(), nodes, rate: nodeRate, isLine: isLine),
                isLine ? places : places.map { _ in nodes - 1 }, bound: chain)
            let name = places.count == 1 ? "the head" : "all nodes"
            print(
                pad("\(nodes)", 5) + " " + network.padding(toLength: 9, withPad: " ", startingAt: 0)
                    + name.padding(toLength: 10, withPad: " ", startingAt: 0) + pad(text(first), 9)
                    + pad("(\(text(craq)))", 9) + pad(text(second), 10) + pad("(\(text(chain)))", 9)
                    + pad(text(first / max(second, 1), 1), 9))
        }
    }
}

/// Writes of each default variant, one after the other but for a window.
func write(_ count: Int) throws {
    for format in [ChainFormat.cqx, .ncx] {
        let (chain, names) = try defaultChain(format, 3)
        defer { chain.stop() }
        let writer = try DefaultClient(chain, names, entry: 0)
        var left = count
        var begun = 0
        while left > 0 {
            while begun < count, begun - (count - left) < window {
                guard writer.submit(isWrite: true, key: begun) != nil else { break }
                begun += 1
            }
            try writer.collect(until: .max) { _, _, _ in left -= 1 }
        }
    }
}

bench_precise_timers()
do {
    let arguments = CommandLine.arguments.dropFirst()
    if arguments.first == "writes", let count = arguments.last.flatMap(Int.init) {
        try write(count)
    } else {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        print(
            """
            NetCRAQ beside NetChain over UDP. All nodes and the client share \(cores) cores: op/s is what they do
            together and says nothing of nodes side by side; us/op is processor time of all nodes for an operation, and
            of the busiest one, whose inverse is what the chain could do with a core for each.
            """)
        try compareDefault()
        try comparePaper()
        try compareCapacity()
    }
} catch {
    print("bench-protocols: \(error)")
    exit(4)
}
