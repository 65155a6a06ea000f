package import Chains
import Consistency
import Wire

/// One seed's run of a default variant: its switches, controller and clients, the streams between them, and the plan's
/// faults.
///
/// Streams between controller, switches and clients lose nothing and keep their order, while they are open; a crash
/// closes the switch's. Everything else is the network's matter.
package struct ReplicaRun<Switch: ReplicaMachine>: SeedRun, Sendable {
    /// One operation that a client may have under way.
    struct Slot: Sendable {
        /// Its number in the recorder, and the client's; -1 and 0 while the client waits.
        var operation = -1
        var request: UInt64 = 0
        var kind = ClientRequest.Kind.read
        var key = 0
        var value = 0
        var timer = UInt64.max
        var isDone = false
        /// What this client last knew of each key, for its next CAS.
        var known: [Known]
    }

    struct Known: Sendable {
        var version = ChainVersion.none
        var value = 0
    }

    /// What the owner's events are, in the upper bits of their argument; the rest is a number.
    enum Cause: Int {
        case slot = 0
        case client
        case controller
        case heartbeat
        case toNode
        case fromNode
        case toClient
        case fromClient
        case failure
        case detection
        case restart
        case recovery
        case pause
    }

    /// A message on a stream.
    struct Letter: Sendable {
        var message: ControlMessage
        var station: Int
        /// The life of the switch that it goes to or comes from.
        var life: UInt32
    }

    /// Once nothing is wrong any more, all operations have to end within this time.
    static var patience: UInt64 { 20_000_000_000 }
    /// While the faults last longer than the operations do, clients ask this often.
    static var slowThink: UInt64 { 20_000_000 }
    static var clientPort: UInt16 { 40_000 }
    /// Streams take from 50 to 550 microseconds: a switch's CPU, a kernel, a scheduler.
    static var streamDelay: (least: UInt64, spread: Int) { (50_000, 500_000) }

    package var network: Network<Switch>
    let options: SimulationOptions
    let plan: FaultPlan
    var numbers: SplitMix64
    var controller: Controller
    var actions: [ControllerAction] = []
    var clients: [ChainClient]
    var output = ClientOutput()
    var slots: [Slot]
    var letters: [Letter?] = []
    var freeLetters: [Int] = []
    /// By station, then to it and from it: when the last message arrives.
    var lastLetter: [UInt64]
    var stallUntil: [UInt64]
    /// Until then the controller's words take so long to every other client.
    var clientsStallUntil: UInt64 = 0
    var clientTimer: [UInt64]
    var controllerTimer = UInt64.max
    var result: SimulationResult
    var recorder: RunRecorder
    var isStarted = false
    var isReadingLast = false
    var toReadLast: [Int] = []
    var finalReads: [Int] = []
    var writesUnderWay = 0
    var hasFailed = false
    /// The switch that failed.
    var failed = 0
    var failureIsPending = false
    var healedAt: UInt64?
    var lastAnswer: UInt64 = 0
    var nextPause = 0

    package init(_ options: SimulationOptions, plan: FaultPlan, seed: UInt64) {
        var numbers = SplitMix64(seed: seed ^ 0x5eed)
        var model = options.model.network
        model.link.jitter = max(model.link.jitter, plan.jitter)
        let count = options.nodes + (plan.hasSpare ? 1 : 0)
        let machines = (0..<count).map { Self.machine($0, options) }
        network = Network(model, switches: machines, clients: options.clients, seed: numbers.next())
        for (index, drift) in plan.drifts.enumerated() where index < count {
            network.setClock(of: index, drift: drift, start: numbers.next() >> 20)
        }
        var control = ControllerConfiguration(nodes: machines.map(\.address))
        control.groups = plan.groups
        control.chainLength = options.nodes
        control.mutations = options.mutations
        controller = Controller(control, at: 0)
        var client = ClientConfiguration(format: options.store == .netchain ? .ncx : .cqx)
        client.patience = plan.patience
        client.mutations = options.mutations
        clients = (0..<options.clients).map { _ in ChainClient(client) }
        slots = (0..<options.clients * options.window).map { _ in
            Slot(known: Array(repeating: Known(), count: options.keys + 1))
        }
        lastLetter = Array(repeating: 0, count: 2 * (count + options.clients))
        stallUntil = Array(repeating: 0, count: count)
        clientTimer = Array(repeating: .max, count: options.clients)
        recorder = RunRecorder(keys: options.keys, positions: count)
        result = SimulationResult(seed: seed, recorder: recorder)
        self.options = options
        self.plan = plan
        self.numbers = numbers
        if options.keepsLog { network.log = EventLog(switchCount: count) }
    }

    static func machine(_ index: Int, _ options: SimulationOptions) -> Switch {
        var configuration = ReplicaConfiguration(
            address: Network<Switch>.address(ofSwitch: index),
            clients: IPv4Network(address: Network<Switch>.firstClient, prefixLength: 24))
        configuration.versions = options.netCRAQ.versions
        configuration.asksForVersions = options.asksForVersions
        configuration.mutations = options.mutations
        return Switch(configuration)
    }

    /// Runs to the end and judges the history.
    package mutating func run() -> SimulationResult {
        begin()
        while !isFinished, network.eventsHandled < SimulationLimits.events,
            let happening = network.next(before: deadline)
        {
            switch happening {
            case .delivery(let client, let packet): receive(packet, at: client)
            case .owner(let event): handle(event)
            }
        }
        return finished()
    }

    private var isFinished: Bool { isReadingLast && slots.allSatisfy(\.isDone) }

    private var deadline: UInt64 { healedAt.map { $0 &+ Self.patience } ?? 20 * Self.patience }

    private mutating func begin() {
        for node in network.switches.indices {
            controller.connected(node: Network<Switch>.address(ofSwitch: node), at: 0, into: &actions)
            schedule(.heartbeat, node, after: UInt64(numbers.below(10_000_000)))
        }
        for key in 1...options.keys { controller.place(Self.name(key), width: .bytes16, into: &actions) }
        act()
        for client in clients.indices {
            clients[client].begin(into: &output)
            flush(client)
        }
    }

    static func name(_ key: Int) -> [UInt8] { Array("k\(key)".utf8) }

    mutating func schedule(_ cause: Cause, _ number: Int, after wait: UInt64) {
        let time = network.now &+ wait
        if case .slot = cause { slots[number].timer = time }
        network.schedule(at: time, argument: cause.rawValue << 26 | number)
    }

    private mutating func handle(_ event: Event) {
        let number = Int(event.argument & 0x3ff_ffff)
        switch Cause(rawValue: Int(event.argument >> 26)) {
        case .slot:
            guard slots[number].timer == event.time else { return }
            slots[number].timer = .max
            ask(number)
        case .client:
            guard clientTimer[number] == event.time else { return }
            clientTimer[number] = .max
            clients[number].advance(to: network.now, into: &output)
            flush(number)
        case .controller:
            guard controllerTimer == event.time else { return }
            controllerTimer = .max
            controller.advance(to: network.now, into: &actions)
            act()
        case .heartbeat: beat(number)
        case .toNode, .fromNode, .toClient, .fromClient: deliver(number, event)
        case .failure: fail()
        case .detection: controllerLoses()
        case .restart: restart()
        case .recovery: checkRecovery()
        case .pause: network.pause(plan.pauses[number].position, until: network.now &+ plan.pauses[number].length)
        case nil: break
        }
    }

    // MARK: The failure

    /// Called as operations begin: what the plan has for now.
    mutating func checkPlan() {
        let begun = result.operations
        while nextPause < plan.pauses.count, plan.pauses[nextPause].after <= begun {
            schedule(.pause, nextPause, after: 0)
            nextPause += 1
        }
        if plan.failure != nil, !hasFailed, !failureIsPending, begun >= plan.failsAfter, writesUnderWay > 0 {
            failureIsPending = true
            schedule(.failure, 0, after: plan.failureDelay)
        }
        let hasRecovered = plan.failure == nil || result.recovered
        if healedAt == nil, begun >= plan.endsAfter, hasRecovered, plan.haveHappened(network.traffic) { heal() }
    }

    private mutating func fail() {
        failureIsPending = false
        // The write under way may have ended meanwhile; the failure waits for the next one. So it does for a chain that
        // a paused switch has just been left out of, if it is the last but one.
        let chain = controller.directory.groups.first?.chain ?? []
        guard writesUnderWay > 0, chain.count > 1 || options.nodes == 1 else { return }
        let address = chain[min(plan.position, chain.count - 1)]
        failed = Int(address) - Int(Network<Switch>.firstSwitch)
        hasFailed = true
        result.failure = plan.failure
        result.failedPosition = plan.position
        result.writesInFlight = writesUnderWay
        lastAnswer = network.now
        clientsStallUntil = network.now &+ plan.clientStall
        if case .crash = plan.failure {
            network.crash(failed)
            // A killed process closes its stream at once, a dead machine says nothing.
            schedule(.detection, 0, after: plan.stall == 0 ? 100_000 : 10 * plan.detection)
            schedule(.restart, 0, after: plan.detection + plan.recovery)
        } else if plan.stall > 0 {
            if isLogging { note("the stream of S\(failed) stalls") }
            stallUntil[failed] = network.now &+ plan.stall
        } else {
            controller.suspect(address, .told, at: network.now, into: &actions)
            act()
        }
        schedule(.recovery, 0, after: plan.detection + plan.recovery + plan.stall)
    }

    /// Recovered is a run whose groups all have a chain of full length again, some time after the failure.
    private mutating func checkRecovery() {
        let isWhole = controller.directory.groups.allSatisfy {
            $0.state == .active && $0.chain.count == options.nodes
        }
        guard isWhole, result.reconfigurations > 0 else { return schedule(.recovery, 0, after: Self.slowThink) }
        result.recovered = true
        if isLogging { note("recovered") }
        checkPlan()
    }

    private mutating func controllerLoses() {
        guard network.stations[failed].isDown else { return }
        controller.disconnected(node: Network<Switch>.address(ofSwitch: failed), at: network.now, into: &actions)
        act()
    }

    private mutating func restart() {
        controllerLoses()
        network.restart(failed, with: Self.machine(failed, options))
        controller.connected(node: Network<Switch>.address(ofSwitch: failed), at: network.now, into: &actions)
        act()
        schedule(.heartbeat, failed, after: 0)
    }

    private mutating func finished() -> SimulationResult {
        takeCounts(stalledClients: slots.count { !$0.isDone })
        result.lostWrites = recorder.lostWrites(finalReads: finalReads)
        result.judge()
        return result
    }
}
