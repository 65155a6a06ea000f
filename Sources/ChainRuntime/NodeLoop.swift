import Chains
import Glibc
import Wire

/// What a node's thread does: waits, takes a batch, hands it to the machine, sends what comes out.
struct NodeLoop<Machine: NodeMachine>: Sendable {
    private var machine: Machine
    private let sockets: NodeSockets
    private let settings: NodeSettings
    private let mailbox: Mailbox<NodeCommand>
    private let report: @Sendable (ControlMessage) -> Void

    private let fabricPorts: PortTable
    private var bucket: TokenBucket?
    private var outbox = Outbox()
    private var statistics = NodeStatistics()
    private var reportsAt: UInt64 = 0

    init(
        machine: Machine, sockets: NodeSockets, settings: NodeSettings, mailbox: Mailbox<NodeCommand>,
        report: @escaping @Sendable (ControlMessage) -> Void
    ) {
        self.machine = machine
        self.sockets = sockets
        self.settings = settings
        self.mailbox = mailbox
        self.report = report
        fabricPorts = .fabric(settings.nodes)
        if let rate = settings.rate { bucket = TokenBucket(rate: rate, at: SystemClock.monotonic) }
    }

    /// Runs until it is told to stop, or the system refuses to go on.
    mutating func run() -> NodeStatistics {
        do throws(SystemError) {
            if let core = settings.core, !SystemClock.pinThread(to: core) {
                throw SystemError(what: "pin a node to a core", code: EINVAL)
            }
            var batch = try DatagramBatch(capacity: settings.batch)
            while try turn(&batch) {}
        } catch {
            statistics.failure = error
        }
        return snapshot()
    }

    /// One turn; false: it is to stop.
    private mutating func turn(_ batch: inout DatagramBatch) throws(SystemError) -> Bool {
        var now = SystemClock.monotonic
        if now >= reportsAt {
            sendReport(at: now)
            reportsAt = now + settings.heartbeat
        }
        let deadline = min(reportsAt, machine.nextDeadline ?? .max)
        let ready = try Readiness.wait(
            sockets.request, sockets.fabric, mailbox.wakeup, until: deadline, now: now)
        if ready.contains(.wakeup), !obey(mailbox.take()) { return false }
        // Leases end and versions age by the time after a batch was taken: one read before may be long past.
        if ready.contains(.second) {
            try batch.receive(from: sockets.fabric)
            now = SystemClock.monotonic
            takeFrames(batch, at: now)
        }
        if ready.contains(.first) {
            try batch.receive(from: sockets.request)
            now = SystemClock.monotonic
            takeRequests(batch, at: now)
        }
        now = SystemClock.monotonic
        if let due = machine.nextDeadline, due <= now { machine.advance(to: now, into: &outbox) }
        if !outbox.isEmpty { send(&batch) }
        return true
    }

    // Datagrams.

    private mutating func takeFrames(_ batch: borrowing DatagramBatch, at now: UInt64) {
        let limit = admitted(batch.count, at: now)
        batch.forEach(first: limit) { bytes, source, isCut in
            if !fabricPorts.contains(source) {
                statistics.foreignFabric += 1
            } else if isCut {
                statistics.tooLong += 1
            } else {
                machine.receive(fabric: bytes, from: source.address, at: now, into: &outbox)
            }
        }
    }

    private mutating func takeRequests(_ batch: borrowing DatagramBatch, at now: UInt64) {
        let limit = admitted(batch.count, at: now)
        batch.forEach(first: limit) { bytes, source, isCut in
            if isCut {
                statistics.tooLong += 1
            } else {
                machine.receive(request: bytes, from: source, at: now, into: &outbox)
            }
        }
    }

    /// How many of a batch are within the limit; what is over is dropped.
    private mutating func admitted(_ count: Int, at now: UInt64) -> Int {
        if count > 0 { statistics.batches += 1 }
        let taken = bucket?.take(count, at: now) ?? count
        statistics.overLimit += count - taken
        return taken
    }

    private mutating func send(_ batch: inout DatagramBatch) {
        batch.send(outbox, .edge, from: sockets.request, to: nil, counts: &statistics.sends)
        batch.send(outbox, .fabric, from: sockets.fabric, to: fabricPorts, counts: &statistics.sends)
        outbox.removeAll()
    }

    // Control.

    /// Does what others asked for; false: stop.
    private mutating func obey(_ commands: [NodeCommand]) -> Bool {
        var isGoingOn = true
        for command in commands {
            switch command {
            case .control(let message):
                let now = SystemClock.monotonic
                if let answer = machine.receive(control: message, at: now) { report(answer) }
                // What is waiting in an activated chain is sent now, and its lease is asked for.
                machine.advance(to: now, into: &outbox)
                if case .activate = message { sendReport(at: now) }
            case .statistics(let answer): answer.give(snapshot())
            case .visit(let visitor): visitor.visit(&machine)
            case .stop: isGoingOn = false
            }
        }
        return isGoingOn
    }

    private func sendReport(at now: UInt64) {
        if let message = machine.report(at: now) { report(message) }
    }

    private func snapshot() -> NodeStatistics {
        var all = statistics
        all.machine = machine.counters
        all.systemDrops = sockets.request.drops + sockets.fabric.drops
        all.processorTime = SystemClock.ofThread
        return all
    }
}
