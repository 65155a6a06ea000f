import Chains

/// A controller and switches whose messages arrive at once and in order; a test can hold some back.
struct ControlBench {
    var controller: Controller
    var switches: [NetCRAQSwitch]
    var now: UInt64 = 0
    /// Everything that the controller did, in order.
    var done: [ControllerAction] = []
    /// Switches that get no message and send none, though their streams are open.
    var mute: Set<Int> = []
    private var actions: [ControllerAction] = []

    static func address(_ node: Int) -> UInt32 { 0x7f00_000a + UInt32(node) }

    init(nodes: Int, change: (inout ControllerConfiguration) -> Void = { _ in }) {
        var configuration = ControllerConfiguration(nodes: (0..<nodes).map(Self.address))
        configuration.groups = 1
        change(&configuration)
        controller = Controller(configuration, at: 0)
        switches = (0..<nodes).map { Self.newSwitch($0) }
    }

    static func newSwitch(_ node: Int) -> NetCRAQSwitch {
        NetCRAQSwitch(
            ReplicaConfiguration(
                address: address(node), clients: IPv4Network(address: 0x7f00_0100, prefixLength: 24)))
    }

    mutating func connect(_ nodes: [Int]) {
        for node in nodes { controller.connected(node: Self.address(node), at: now, into: &actions) }
        settle()
        beat(nodes)
    }

    mutating func disconnect(_ node: Int) {
        mute.insert(node)
        controller.disconnected(node: Self.address(node), at: now, into: &actions)
        settle()
    }

    mutating func beat(_ nodes: [Int]) {
        for node in nodes where !mute.contains(node) {
            controller.receive(
                switches[node].heartbeat(at: now), fromNode: Self.address(node), at: now, into: &actions)
        }
        settle()
    }

    mutating func perform(_ change: (inout Controller, UInt64, inout [ControllerAction]) -> Void) {
        change(&controller, now, &actions)
        settle()
    }

    private mutating func settle() {
        while !actions.isEmpty {
            let action = actions.removeFirst()
            done.append(action)
            guard case .send(let message, let address) = action else { continue }
            let node = Int(address - Self.address(0))
            guard !mute.contains(node), let answer = switches[node].receive(control: message, at: now) else { continue }
            controller.receive(answer, fromNode: address, at: now, into: &actions)
        }
    }

    /// Time goes by in steps of a millisecond, with heartbeats every ten.
    mutating func pass(milliseconds: Int, beating nodes: [Int]) {
        for _ in 0..<milliseconds {
            now += 1_000_000
            controller.advance(to: now, into: &actions)
            settle()
            if now % 10_000_000 == 0 { beat(nodes) }
        }
    }

    var entry: GroupEntry { controller.record.groups[0].entry }
    var chain: [Int] { entry.chain.map { Int($0 - Self.address(0)) } }

    /// Who was sent ACTIVATE of an epoch, in order.
    func activations(_ epoch: UInt32) -> [Int] {
        done.compactMap { action in
            guard case .send(.activate(let activation), let node) = action, activation.epoch == epoch else {
                return nil
            }
            return Int(node - Self.address(0))
        }
    }
}
