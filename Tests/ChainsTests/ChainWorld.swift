import Chains
import Consistency
import Wire

/// How a run of `ChainWorld` goes; everything else follows from the seed.
struct WorldPlan: Sendable {
    var seed: UInt64
    var nodes = 5
    var chainLength = 3
    var versions = 4
    var asksForVersions = false
    var clients = 3
    var keys = 2
    var operationsPerClient = 12
    var loss = 0.08
    var duplication = 0.1
    /// Crashes, false suspicions, joins and slow streams.
    var troubles = 2
    /// Share of late packets and stream messages, and how late they are at most.
    var lateShare = 5
    var lateness = 120_000_000
    /// Longest pause of a client between two operations.
    var pause = 40_000_000
    /// Share of clients that hear of a new epoch late, and how late.
    var laggards = 0.3
    var lag = 200_000_000
    var mutations: Mutations = []

    init(seed: UInt64) { self.seed = seed }

    /// A plan whose every number is drawn from the seed: some runs are calm in a way that others are not.
    init(drawnFrom seed: UInt64, mutations: Mutations = []) {
        self.seed = seed
        self.mutations = mutations
        var numbers = SplitMix64(seed: seed ^ 0x5eed)
        chainLength = [3, 3, 3, 2, 4, 1][numbers.below(6)]
        nodes = chainLength + 1 + numbers.below(2)
        versions = 2 + numbers.below(3)
        clients = 3 + numbers.below(2)
        keys = 1 + numbers.below(3)
        operationsPerClient = 40 / clients
        if numbers.chance(0.2) { loss = 0 }
        if numbers.chance(0.2) { duplication = 0 }
        troubles = numbers.below(5)
        lateShare = [0, 5, 10, 25][numbers.below(4)]
        lateness = [60_000_000, 150_000_000, 400_000_000][numbers.below(3)]
        pause = [2_000_000, 10_000_000, 40_000_000][numbers.below(3)]
        laggards = [0, 0.3, 0.7][numbers.below(3)]
        lag = [100_000_000, 300_000_000][numbers.below(2)]
    }
}

/// Switches, a controller and clients in virtual time: packets are lost, repeated, late and out of order, control
/// streams are in order but slow at times, nodes crash and are suspected wrongly.
struct ChainWorld<Machine: ReplicaMachine> {
    enum Event {
        case request([UInt8], from: Int, to: UInt32)
        case fabric([UInt8], from: UInt32, to: UInt32)
        case reply([UInt8], from: UInt32, to: Endpoint)
        case controlToNode(ControlMessage, node: Int, stream: Int)
        case controlFromNode(ControlMessage, node: Int, stream: Int)
        case controlToClient(ControlMessage, client: Int)
        case controlFromClient(ControlMessage, client: Int)
        case heartbeat(node: Int, stream: Int)
        case operation(client: Int)
        case trouble
        case start(node: Int)
        case connect(node: Int)
        case wake
    }

    struct Node {
        var address: UInt32
        var machine: Machine
        var isUp = true
        var isConnected = false
        /// Counts its streams; messages of an older one are lost.
        var stream = 0
        var toNode: UInt64 = 0
        var fromNode: UInt64 = 0
        var offset: UInt64
        /// Half a millionth of its time, added or taken.
        var drift: Int64
        var slowness = 1.0
    }

    struct User {
        var endpoint: Endpoint
        var client: ChainClient
        var remaining: Int
        var toClient: UInt64 = 0
        var lag: UInt64
        /// The operation under way: place in `history` by request number.
        var current: UInt64 = 0
        var known: [Int: (ChainVersion, Int64)] = [:]
        var operation = HistoryOperation(client: 0, key: 0, kind: .read, call: 0)
        var key = 0
    }

    let plan: WorldPlan
    var numbers: SplitMix64
    var now: UInt64 = 0
    var events = EventHeap<Event>()
    var nodes: [Node] = []
    var users: [User] = []
    var controller: Controller
    var actions: [ControllerAction] = []
    var outbox = Outbox()
    var output = ClientOutput()
    var histories: [KeyHistory]
    var lastValue: Int64 = 0
    var isHealed = false
    var log: [String] = []
    var keepsLog = false
    var packetsDelivered = 0

    init(_ plan: WorldPlan) {
        self.plan = plan
        numbers = SplitMix64(seed: plan.seed)
        let addresses = (0..<UInt32(plan.nodes)).map { 0x7f00_000a + $0 }
        var configuration = ControllerConfiguration(nodes: addresses)
        configuration.groups = 1
        configuration.chainLength = plan.chainLength
        configuration.mutations = plan.mutations
        controller = Controller(configuration, at: 0)
        histories = Array(repeating: KeyHistory(), count: plan.keys)
        for address in addresses {
            nodes.append(
                Node(
                    address: address, machine: Machine(Self.configuration(plan, address)),
                    offset: UInt64(numbers.below(1_000_000_000)), drift: Int64(numbers.below(1801)) - 900))
        }
        for number in 0..<plan.clients {
            var client = ClientConfiguration(format: Machine.self == NetCRAQSwitch.self ? .cqx : .ncx)
            client.patience = UInt64(150 + numbers.below(700)) * 1_000_000
            client.mutations = plan.mutations
            users.append(
                User(
                    endpoint: Endpoint(address: 0x7f00_0101 + UInt32(number), port: 40_000),
                    client: ChainClient(client), remaining: plan.operationsPerClient,
                    lag: numbers.chance(plan.laggards) ? UInt64(numbers.below(plan.lag)) : 0))
        }
    }

    private static func configuration(_ plan: WorldPlan, _ address: UInt32) -> ReplicaConfiguration {
        var configuration = ReplicaConfiguration(
            address: address, clients: IPv4Network(address: 0x7f00_0100, prefixLength: 24))
        configuration.versions = plan.versions
        configuration.asksForVersions = plan.asksForVersions
        configuration.mutations = plan.mutations
        return configuration
    }

    // The run.

    /// Runs to the end; answers whether all was done in time.
    mutating func run() -> Bool {
        for node in nodes.indices { schedule(.connect(node: node), in: UInt64(numbers.below(3_000_000))) }
        for user in users.indices {
            users[user].client.begin(into: &output)
            flush(user)
            schedule(.operation(client: user), in: UInt64(20_000_000 + numbers.below(60_000_000)))
        }
        for key in 0..<plan.keys { controller.place([UInt8(key)], width: .bytes16, in: 0, into: &actions) }
        flushController()
        for _ in 0..<plan.troubles {
            schedule(.trouble, in: UInt64(60_000_000 + numbers.below(700_000_000)))
        }
        schedule(.wake, in: 1_000_000)
        var isLastRound = false
        while let (time, event) = events.popFirst() {
            now = max(now, time)
            handle(event)
            if now > 30_000_000_000 { return false }
            guard users.allSatisfy({ $0.remaining == 0 && $0.current == 0 }) else { continue }
            if isLastRound { return true }
            // Everything is well again: whoever asks now must be answered, and see what the others saw.
            isLastRound = true
            isHealed = true
            for user in users.indices {
                users[user].remaining = plan.keys
                schedule(.operation(client: user), in: 1_000_000_000)
            }
        }
        return false
    }

    mutating func schedule(_ event: Event, in delay: UInt64) { events.insert(event, at: now + delay) }

    /// Mostly short, at times as long as a lease and longer.
    mutating func delay() -> UInt64 {
        if isHealed { return UInt64(100_000 + numbers.below(400_000)) }
        let share = numbers.below(100)
        if share < plan.lateShare { return UInt64(numbers.below(plan.lateness)) }
        return UInt64(50_000 + numbers.below(share < 75 ? 500_000 : 8_000_000))
    }

    /// A control stream is in order, so that one late message delays all behind it.
    mutating func streamDelay(slowness: Double) -> UInt64 {
        if !isHealed, numbers.below(400) < plan.lateShare { return UInt64(numbers.below(plan.lateness / 3)) }
        return UInt64(Double(20_000 + numbers.below(300_000)) * (isHealed ? 1 : slowness))
    }

    func clock(_ node: Int) -> UInt64 {
        nodes[node].offset + UInt64(Int64(now) + Int64(now) / 2_000_000 * nodes[node].drift)
    }

    func note(_ text: @autoclosure () -> String, into log: inout [String]) {
        if keepsLog { log.append("\(now) \(text())") }
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .request(let payload, let user, let address):
            guard let node = index(address), nodes[node].isUp else { break }
            packetsDelivered += 1
            nodes[node].machine.receive(
                request: payload.span, from: users[user].endpoint, at: clock(node), into: &outbox)
            flushNode(node)
        case .fabric(let bytes, let sender, let address):
            guard let node = index(address), nodes[node].isUp else { break }
            packetsDelivered += 1
            nodes[node].machine.receive(fabric: bytes.span, from: sender, at: clock(node), into: &outbox)
            flushNode(node)
        case .reply(let payload, let address, let client):
            guard let user = users.firstIndex(where: { $0.endpoint == client }) else { break }
            packetsDelivered += 1
            users[user].client.receive(
                payload.span, from: Endpoint(address: address, port: 8888), at: now, into: &output)
            flush(user)
        case .controlToNode(let message, let node, let stream):
            guard nodes[node].isUp, nodes[node].isConnected, nodes[node].stream == stream else { break }
            let answer = nodes[node].machine.receive(control: message, at: clock(node))
            if let answer { sendFromNode(node, answer) }
            if case .activate = message { sendFromNode(node, nodes[node].machine.heartbeat(at: clock(node))) }
        case .controlFromNode(let message, let node, let stream):
            guard nodes[node].isConnected, nodes[node].stream == stream else { break }
            controller.receive(message, fromNode: nodes[node].address, at: now, into: &actions)
        case .controlToClient(let message, let user):
            users[user].client.receive(control: message, at: now, into: &output)
            flush(user)
        case .controlFromClient(let message, let user):
            controller.receive(message, fromClient: UInt64(user), into: &actions)
        case .heartbeat(let node, let stream):
            guard nodes[node].isUp, nodes[node].isConnected, nodes[node].stream == stream else { break }
            sendFromNode(node, nodes[node].machine.heartbeat(at: clock(node)))
            schedule(.heartbeat(node: node, stream: stream), in: 10_000_000)
        case .operation(let user): beginOperation(user)
        case .trouble: if !isHealed { makeTrouble() }
        case .start(let node):
            nodes[node].machine = Machine(Self.configuration(plan, nodes[node].address))
            nodes[node].isUp = true
            schedule(.connect(node: node), in: delay())
        case .connect(let node): connect(node)
        case .wake:
            for node in nodes.indices where nodes[node].isUp {
                nodes[node].machine.advance(to: clock(node), into: &outbox)
                flushNode(node)
            }
            for user in users.indices {
                users[user].client.advance(to: now, into: &output)
                flush(user)
            }
            controller.advance(to: now, into: &actions)
            schedule(.wake, in: 1_000_000)
        }
        flushController()
    }

    func index(_ address: UInt32) -> Int? { nodes.firstIndex { $0.address == address } }
}

/// Events in the order of their times; those of one time in the order of their insertion.
struct EventHeap<Event> {
    private var items: [(time: UInt64, serial: Int, event: Event)] = []
    private var serial = 0

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (items[left].time, items[left].serial) < (items[right].time, items[right].serial)
    }

    mutating func insert(_ event: Event, at time: UInt64) {
        serial += 1
        items.append((time, serial, event))
        var child = items.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func popFirst() -> (UInt64, Event)? {
        guard let first = items.first else { return nil }
        let last = items.removeLast()
        if !items.isEmpty {
            items[0] = last
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < items.count else { break }
                if child + 1 < items.count, isBefore(child + 1, child) { child += 1 }
                guard isBefore(child, parent) else { break }
                items.swapAt(child, parent)
                parent = child
            }
        }
        return (first.time, first.event)
    }
}
