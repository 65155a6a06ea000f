import Chains

/// What scripts must know of a chain to talk to it: its client's packets and its control plane.
protocol ChainVariant {
    associatedtype Machine: SwitchMachine

    /// The first word of a script's `run` line.
    static var name: String { get }

    /// A chain of the first `chainCount` of `networks`; the others are spare. Nil when a setting is unknown.
    init?(settings: [String: String], networks: [PaperNetwork], chainCount: Int)

    /// The table on which the nodes are.
    var bench: ScriptBench<Machine> { get set }

    /// A write's payload as a client addresses it to the chain from node `position` on.
    func write(key: UInt32, value: UInt128, at position: Int) -> [UInt8]
    /// A read's payload, addressed to node `position`.
    func read(key: UInt32, at position: Int) -> [UInt8]
    /// The value that a payload carries; nil when it is malformed.
    func value(of payload: [UInt8]) -> UInt128?

    mutating func insert(key: UInt32)
    /// The control plane takes `node` for failed, whether it is or not.
    mutating func failOver(of node: Int)
    /// Recovery with a new node in the place of `node`: before, and after its registers are copied.
    mutating func beginRecovery(of node: Int)
    mutating func endRecovery(of node: Int, with replacement: Int)

    /// The newest value that `node` holds; nil when it has none.
    func stored(key: UInt32, at node: Int) -> UInt128?
    /// Whether `node` would ask the tail.
    func isDirty(key: UInt32, at node: Int) -> Bool
    /// Reads that `node` answered as the tail from a dirty cell.
    func dirtyReadsAtTail(of node: Int) -> Int
}

struct NetChainPaperVariant: ChainVariant {
    static let name = "netchain"

    var bench: ScriptBench<NetChainPaperSwitch>
    var control: NetChainPaperControl
    let options: NetChainPaperOptions
    let chainCount: Int

    init?(settings: [String: String], networks: [PaperNetwork], chainCount: Int) {
        var options = NetChainPaperOptions()
        var quirks: NetChainPaperControl.Quirks = []
        for (name, value) in settings {
            switch (name, value) {
            case ("width", "16"): options.width = .bits16
            case ("width", "128"): options.width = .bits128
            case ("rule", "greater"): options.rule = .greater
            case ("rule", "serial"): options.rule = .serial
            case ("rule", "always"): options.rule = .always
            case ("reads", "tail"): options.readsAnywhere = false
            case ("reads", "anywhere"): options.readsAnywhere = true
            case ("roles", "one"): options.quirks.insert(.oneRole)
            case ("rules", "predecessor"): quirks.insert(.onlyPredecessor)
            case ("tailrule", "write"): quirks.insert(.answersReadsAsWrites)
            case ("newtail", "none"): quirks.insert(.noNewTail)
            case ("headrule", "successor"): quirks.insert(.headRuleAtSuccessor)
            case ("session", "none"): quirks.insert(.noSession)
            default: return nil
            }
        }
        self.options = options
        self.chainCount = chainCount
        control = NetChainPaperControl(chain: networks.prefix(chainCount).map(\.own), quirks: quirks)
        bench = ScriptBench(networks.map { NetChainPaperSwitch(options, network: $0, capacity: 16) })
        control.start(&bench.switches)
    }

    private func list(_ positions: some Sequence<Int>) -> [UInt32] {
        positions.map { bench.switches[$0].network.own }
    }

    private func request(_ operation: NetChainPaperPacket.Operation, _ key: UInt32, _ value: UInt128, _ list: [UInt32])
        -> [UInt8]
    {
        let remaining = UInt8(list.count + 1)
        var payload: [UInt8] = []
        NetChainPaperPacket(operation, remaining: remaining, key: UInt128(key), value: value)
            .append(list: list, to: &payload, width: options.width)
        return payload
    }

    func write(key: UInt32, value: UInt128, at position: Int) -> [UInt8] {
        request(.write, key, value, list(position..<chainCount))
    }

    func read(key: UInt32, at position: Int) -> [UInt8] {
        request(.read, key, 0, list((0...position).reversed()))
    }

    func value(of payload: [UInt8]) -> UInt128? {
        NetChainPaperPacket(payload.span, width: options.width)?.value
    }

    mutating func insert(key: UInt32) { _ = control.insert(UInt128(key), into: &bench.switches) }
    mutating func failOver(of node: Int) { control.failOver(of: address(node), &bench.switches) }
    mutating func beginRecovery(of node: Int) { control.stop(address(node), &bench.switches) }
    mutating func endRecovery(of node: Int, with replacement: Int) {
        control.replace(address(node), with: address(replacement), &bench.switches)
    }

    private func address(_ node: Int) -> UInt32 { bench.switches[node].network.own }

    func stored(key: UInt32, at node: Int) -> UInt128? { bench.switches[node].entry(of: UInt128(key))?.value }
    func isDirty(key: UInt32, at node: Int) -> Bool { false }
    func dirtyReadsAtTail(of node: Int) -> Int { 0 }
}

struct NetCRAQPaperVariant: ChainVariant {
    static let name = "netcraq"

    var bench: ScriptBench<NetCRAQPaperSwitch>
    var control: NetCRAQPaperControl

    init?(settings: [String: String], networks: [PaperNetwork], chainCount: Int) {
        var options = NetCRAQPaperOptions()
        for (name, value) in settings {
            switch (name, value) {
            case ("reset", "0"): options.reset = .toZero
            case ("reset", "1"): options.reset = .toOne
            case ("entry", "head"): options.entry = .head
            case ("entry", "any"): options.entry = .any
            case ("index", "keys"): options.indexSize = .keys
            case ("index", "versions"): options.indexSize = .versions
            case ("ack", "client"): options.acknowledgesClient = true
            case ("ack", "none"): options.acknowledgesClient = false
            case ("enroute", "yes"): options.answersEnRoute = true
            case ("versions", _):
                guard let count = Int(value) else { return nil }
                options.versions = count
            default: return nil
            }
        }
        control = NetCRAQPaperControl(chain: networks.prefix(chainCount).map(\.own))
        bench = ScriptBench(networks.map { NetCRAQPaperSwitch(options, network: $0, capacity: 16) })
        control.start(&bench.switches)
    }

    func write(key: UInt32, value: UInt128, at position: Int) -> [UInt8] { packet(.write, key, value) }
    func read(key: UInt32, at position: Int) -> [UInt8] { packet(.read, key, 0) }

    private func packet(_ operation: NetCRAQPaperPacket.Operation, _ key: UInt32, _ value: UInt128) -> [UInt8] {
        var payload: [UInt8] = []
        NetCRAQPaperPacket(operation, key: key, value: value).append(to: &payload)
        return payload
    }

    func value(of payload: [UInt8]) -> UInt128? { NetCRAQPaperPacket(payload.span)?.value }

    mutating func insert(key: UInt32) { _ = control.insert(key, into: &bench.switches) }
    mutating func failOver(of node: Int) {
        control.failOver(of: bench.switches[node].network.own, &bench.switches)
    }
    mutating func beginRecovery(of node: Int) { control.stopWrites(&bench.switches) }
    mutating func endRecovery(of node: Int, with replacement: Int) {
        // The place of a node that was failed over: as many of the survivors stand before it as did.
        let before = (0..<node).filter { control.chain.contains(bench.switches[$0].network.own) }.count
        control.join(bench.switches[replacement].network.own, at: before, &bench.switches)
    }

    func stored(key: UInt32, at node: Int) -> UInt128? {
        bench.switches[node].entry(of: key).map { $0.cells[$0.readIndex] }
    }

    func isDirty(key: UInt32, at node: Int) -> Bool { (bench.switches[node].entry(of: key)?.readIndex ?? 0) > 0 }
    func dirtyReadsAtTail(of node: Int) -> Int { bench.switches[node].dirtyReadsAtTail }
}
