package import Chains
import Consistency
import Wire

/// One seed's run of a paper variant: clients that ask, time out and ask another switch, a control plane that is told
/// of failures, and the plan's faults.
///
/// Clients have no more than the papers give them: no request numbers, no epochs. After 50 ms without an answer a
/// request goes to another switch of the chain (NetCRAQ §V); whoever answered last is asked first the next time.
package struct PaperRun<Control: PaperControl>: SeedRun, Sendable {
    package typealias Switch = Control.Switch

    /// What one client has under way.
    struct Slot: Sendable {
        /// Its number in the recorder; -1 while the client waits.
        var operation = -1
        var isWrite = false
        var key = 0
        var value = 0
        var target = 0
        /// Its number in the client machine.
        var request: UInt64 = 0
        /// When it is looked at again; .max: not.
        var timer = UInt64.max
        /// Switches that last answered it.
        var writeEntry: Int
        var readEntry: Int
        var isDone = false
    }

    /// What the owner's events are, in the upper bits of their argument.
    enum Cause: Int {
        case slot = 0
        case failure
        case detection
        case recovery
        case recovered
        case pause
    }

    /// Clients' UDP ports.
    static var firstPort: UInt16 { 1024 }
    /// What copying a chain's few keys to a new switch takes.
    static var copyTime: UInt64 { 20_000_000 }
    /// Once nothing is wrong any more, all operations have to end within this time.
    static var patience: UInt64 { 10_000_000_000 }
    /// While the faults last longer than the operations do, clients ask this often.
    static var slowThink: UInt64 { 20_000_000 }

    package var network: Network<Switch>
    var control: Control
    let options: SimulationOptions
    let plan: FaultPlan
    /// The requests of all clients: each finds its answer by its port, whosever it is.
    var client: PaperClient
    var output = PaperClientOutput()
    var numbers: SplitMix64
    var slots: [Slot]
    var result: SimulationResult
    var recorder: RunRecorder
    /// Keys that are still to be written before the run proper.
    var toWriteFirst: Int
    /// Reads of every key that end the run, as (key, switch).
    var toReadLast: [(key: Int, target: Int)] = []
    var finalReads: [(operation: Int, target: Int)] = []
    var isReadingLast = false
    var writesUnderWay = 0
    var hasFailed = false
    var failureIsPending = false
    var healedAt: UInt64?
    var lastAnswer: UInt64 = 0
    var nextPause = 0

    package init(
        _ options: SimulationOptions, plan: FaultPlan, machines: [Switch], control: Control, codec: PaperCodec,
        seed: UInt64
    ) {
        var numbers = SplitMix64(seed: seed ^ 0x5eed)
        var model = options.model.network
        model.link.jitter = max(model.link.jitter, plan.jitter)
        network = Network(model, switches: machines, clients: options.clients, seed: numbers.next())
        for (index, drift) in plan.drifts.enumerated() where index < machines.count {
            network.setClock(of: index, drift: drift, start: numbers.next() >> 20)
        }
        self.control = control
        self.options = options
        self.plan = plan
        let isNetChain = options.store == .netchain
        var configuration = PaperClientConfiguration(
            codec, targets: isNetChain ? options.nodes : machines.count, tags: Int(UInt16.max - Self.firstPort) + 1)
        configuration.retries = options.retries == .several ? .anotherTag : .sameTag
        client = PaperClient(configuration)
        self.numbers = numbers
        slots = (0..<options.clients * options.window).map { _ in
            Slot(writeEntry: 0, readEntry: isNetChain ? options.nodes - 1 : 0)
        }
        recorder = RunRecorder(keys: options.keys, positions: machines.count)
        result = SimulationResult(seed: seed, recorder: recorder)
        toWriteFirst = options.writesFirst ? options.keys : 0
        if options.keepsLog { network.log = EventLog(switchCount: machines.count) }
    }

    /// Runs to the end and judges the history.
    package mutating func run() -> SimulationResult {
        if toWriteFirst > 0 {
            schedule(.slot, 0, after: 0)
        } else {
            startAll()
        }
        while network.eventsHandled < SimulationLimits.events, let happening = network.next(before: deadline) {
            switch happening {
            case .delivery(let client, let packet): receive(packet, at: client)
            case .owner(let event): handle(event)
            }
        }
        return finished()
    }

    private var deadline: UInt64 {
        healedAt.map { $0 &+ Self.patience } ?? 60 * Self.patience
    }

    mutating func schedule(_ cause: Cause, _ number: Int, after wait: UInt64) {
        let time = network.now &+ wait
        if case .slot = cause { slots[number].timer = time }
        network.schedule(at: time, argument: cause.rawValue << 24 | number)
    }

    private mutating func handle(_ event: Event) {
        let number = Int(event.argument & 0xff_ffff)
        switch Cause(rawValue: Int(event.argument >> 24)) {
        case .slot:
            guard slots[number].timer == event.time else { return }
            slots[number].timer = .max
            if slots[number].operation >= 0 { retry(number) } else { ask(number) }
        case .failure: fail()
        case .detection: failOver()
        case .recovery:
            control.stop(for: failedAddress, &network.switches)
            if isLogging { note("control stops \(failedName)") }
            schedule(.recovered, 0, after: Self.copyTime)
        case .recovered: recover()
        case .pause: network.pause(plan.pauses[number].position, until: network.now &+ plan.pauses[number].length)
        case nil: break
        }
    }

    /// Everybody begins; what goes wrong may go wrong from here on.
    mutating func startAll() {
        network.faults = plan.links
        lastAnswer = network.now
        for slot in slots.indices { schedule(.slot, slot, after: UInt64(numbers.below(100_000))) }
    }

    // MARK: The failure

    private var failedAddress: UInt32 { Network<Switch>.address(ofSwitch: plan.position) }
    private var failedName: String { "S\(plan.position)" }

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
        // The write under way may have ended meanwhile; the failure waits for the next one.
        guard writesUnderWay > 0 else { return }
        hasFailed = true
        result.failure = plan.failure
        result.failedPosition = plan.position
        result.writesInFlight = writesUnderWay
        lastAnswer = network.now
        if case .crash = plan.failure {
            network.crash(plan.position)
            schedule(.detection, 0, after: plan.detection)
        } else {
            if isLogging { note("control suspects \(failedName)") }
            failOver()
        }
    }

    private mutating func failOver() {
        control.failOver(of: failedAddress, &network.switches)
        if isLogging { note("control passes over \(failedName)") }
        schedule(.recovery, 0, after: plan.recovery)
    }

    private mutating func recover() {
        let spare = Network<Switch>.address(ofSwitch: options.nodes)
        control.recover(failedAddress, with: spare, at: plan.position, &network.switches)
        if isLogging { note("control puts S\(options.nodes) in the place of \(failedName)") }
        result.recovered = true
        checkPlan()
    }

    private mutating func finished() -> SimulationResult {
        takeCounts(stalledClients: slots.count { !$0.isDone })
        let tail = finalReads.map(\.target).max() ?? 0
        result.lostWrites = recorder.lostWrites(finalReads: finalReads.filter { $0.target == tail }.map(\.operation))
        result.staleCopies = recorder.lostWrites(finalReads: finalReads.filter { $0.target != tail }.map(\.operation))
        result.judge()
        return result
    }
}
