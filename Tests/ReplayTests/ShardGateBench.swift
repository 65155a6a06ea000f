import Etcd
import Replay
import Wire

/// The gates of several shards on one store, in virtual time.
///
/// A request reaches the store after half its latency and is answered after the other half. Leases end when nobody
/// keeps them alive. A run of a backend that ends leaves its requests unanswered.
struct ShardGateBench {
    struct Member {
        var gate: ShardGate
        /// When the program is started, on the bench's clock.
        var joins: Int64 = 0
        /// How far its wall clock is ahead.
        var clockAhead: Int64 = 0
        /// How long it takes to make its engine.
        var engineTime: Int64 = 200_000_000
        /// When it is killed, or interrupted.
        var killedAt = Int64.max
        var stoppedAt = Int64.max
        var isOver = false
        fileprivate var resumesAt: Int64?
        /// On the bench's clock, when it handed over to its engine.
        var begun: Int64?

        init(_ gate: ShardGate) { self.gate = gate }
    }

    private struct Flight {
        var member: Int
        var request: StoreRequest
        var executes: Int64
        var answers: Int64
        var isAnswered = false
        /// Its backend's run ended: nobody is told of the answer.
        var isAbandoned = false
        var answer = StoreAnswer()
    }

    var members: [Member] = []
    var store = ShardGateStore()
    var latency: (Int) -> Int64 = { _ in 2_000_000 }
    /// The status that the store answers a request with instead of doing it; by its number from 0, and time.
    var refuse: (Int, Int64) -> UInt32? = { _, _ in nil }
    /// What somebody else writes, and when.
    var strangers: [(time: Int64, key: String)] = []
    private(set) var requests = 0
    /// What was refused.
    private(set) var refused: [OperationKind] = []
    /// Names below the gates' prefix at the moment of the first start.
    private(set) var keysAtStart: [String]?
    private var flights: [Flight] = []
    private(set) var time: Int64 = 0
    /// The bench's clock in nanoseconds since the Unix epoch.
    static let epoch: Int64 = 1_700_000_000_000_000_000

    /// Runs until no gate has anything to do, or until that time; then the gates' leases end.
    mutating func run(until end: Int64 = 1_000_000_000_000) {
        while time < end {
            turn()
            guard let next = nextTime, next < end else { break }
            time = max(time, next)
        }
        // Longer than those of gates live, and not as long as those of preloads.
        store.expire(at: time + 600_000_000_000)
    }

    private var nextTime: Int64? {
        var next = Int64.max
        for member in members where !member.isOver {
            if time < member.joins {
                next = min(next, member.joins)
                continue
            }
            next = min(next, member.killedAt)
            if time < member.stoppedAt { next = min(next, member.stoppedAt) }
            if let resumesAt = member.resumesAt {
                next = min(next, resumesAt)
            } else {
                next = min(next, max(member.gate.nextDue - Self.origin(member), time + 1))
            }
        }
        for flight in flights { next = min(next, flight.isAnswered ? flight.answers : flight.executes) }
        if let stranger = strangers.first { next = min(next, max(time, stranger.time)) }
        return next == .max ? nil : next
    }

    /// Each backend has a clock of its own.
    private static func origin(_ member: Member) -> Int64 { 5_000_000_000 + Int64(member.gate.options.shard.index) }

    private mutating func turn() {
        store.expire(at: time)
        while let stranger = strangers.first, stranger.time <= time {
            store.put(stranger.key, lease: 0)
            strangers.removeFirst()
        }
        for place in flights.indices where !flights[place].isAnswered && flights[place].executes <= time {
            flights[place].isAnswered = true
            if let status = refuse(requests, time) {
                flights[place].answer.status = status
                refused.append(flights[place].request.kind)
            } else {
                store.execute(flights[place].request, at: time, &flights[place].answer)
            }
            flights[place].answer.number = flights[place].request.number
            flights[place].answer.stream = flights[place].request.stream
            requests += 1
        }
        let due = flights.filter { $0.isAnswered && $0.answers <= time }
        flights.removeAll { $0.isAnswered && $0.answers <= time }
        for flight in due where !flight.isAbandoned {
            turn(flight.member)
            members[flight.member].gate.receive(flight.answer)
        }
        for place in members.indices { turn(place) }
    }

    private mutating func turn(_ place: Int) {
        guard !members[place].isOver, time >= members[place].joins else { return }
        if time >= members[place].killedAt { return leave(place) }
        if let resumesAt = members[place].resumesAt {
            guard time >= resumesAt else { return }
            members[place].resumesAt = nil
            members[place].gate.resume()
        }
        let gate = members[place].gate
        if time >= members[place].stoppedAt { gate.stop() }
        let now = time + Self.origin(members[place])
        gate.advance(to: now, wall: Self.epoch + time + members[place].clockAhead)
        var request = StoreRequest()
        while gate.next(into: &request) {
            let latency = latency(place)
            flights.append(
                Flight(member: place, request: request, executes: time + latency / 2, answers: time + latency))
        }
        guard gate.isDone else { return }
        if gate.isPrepared {
            abandon(place)
            members[place].resumesAt = time + members[place].engineTime
        } else {
            leave(place)
            if gate.failure == nil {
                members[place].begun = time
                if keysAtStart == nil { keysAtStart = store.names.filter { $0.hasPrefix(ShardGateKeys.prefix) } }
            }
        }
    }

    private mutating func leave(_ place: Int) {
        members[place].isOver = true
        abandon(place)
    }

    private mutating func abandon(_ place: Int) {
        for flight in flights.indices where flights[flight].member == place { flights[flight].isAbandoned = true }
    }

    // MARK: What came of it

    var failures: [ShardGateFailure?] { members.map(\.gate.failure) }

    /// The moments that the gates agreed on, each once.
    var starts: Set<Int64> { Set(members.compactMap(\.gate.start)) }
}

/// A store of keys, revisions and leases, as far as gates and preloads ask it.
struct ShardGateStore {
    struct Entry: Equatable {
        var created: Int64
        var modified: Int64
        var version: Int64
        var lease: Int64
        var size: Int64
    }

    private(set) var entries: [String: Entry] = [:]
    private(set) var revision: Int64 = 1
    private(set) var leases: [Int64: (ttl: Int64, ends: Int64)] = [:]
    private var nextLease: Int64 = 0x7a00_0000_0000_0000
    /// Is told of the names that are put.
    var onPut: (String) -> Void = { _ in }

    init() {}

    /// All are ASCII: in the order of their bytes.
    var names: [String] { entries.keys.sorted() }

    mutating func put(_ name: String, lease: Int64, size: Int64 = 0) {
        revision += 1
        set(name, lease, size)
    }

    private mutating func set(_ name: String, _ lease: Int64, _ size: Int64) {
        onPut(name)
        let old = entries[name]
        entries[name] = Entry(
            created: old?.created ?? revision, modified: revision, version: (old?.version ?? 0) + 1, lease: lease,
            size: size)
    }

    private mutating func delete(_ names: [String]) {
        if names.isEmpty { return }
        revision += 1
        for name in names { entries[name] = nil }
    }

    mutating func expire(at time: Int64) {
        for (lease, state) in leases.sorted(by: { $0.key < $1.key }) where state.ends <= time { revoke(lease) }
    }

    private mutating func revoke(_ lease: Int64) {
        leases[lease] = nil
        delete(entries.filter { $0.value.lease == lease }.map(\.key))
    }

    private static func text(_ key: KeyNumber, of request: borrowing StoreRequest) -> String {
        key == 0 ? "" : String(decoding: request.keys.bytes[request.keys.range(of: key)], as: UTF8.self)
    }

    private func found(_ body: RequestOp, of request: borrowing StoreRequest) -> [String] {
        let key = Self.text(body.key, of: request)
        guard body.flags.contains(.hasRangeEnd) else { return entries[key] == nil ? [] : [key] }
        let end = Self.text(body.rangeEnd, of: request)
        return entries.keys.filter { $0 >= key && (end == "\0" || $0 < end) }.sorted()
    }

    mutating func execute(_ request: borrowing StoreRequest, at time: Int64, _ answer: inout StoreAnswer) {
        switch request.kind {
        case .range: range(request, &answer)
        case .put:
            guard hasLease(request.body.lease) else { return answer.status = 5 }
            put(Self.text(request.body.key, of: request), lease: request.body.lease, size: request.body.valueSize)
        case .delete: delete(found(request.body, of: request))
        case .txn: transact(request, &answer)
        case .leaseGrant:
            nextLease += 1
            leases[nextLease] = (request.ttl, time + request.ttl * 1_000_000_000)
            answer.details.answeredLease = nextLease
        case .leaseRevoke:
            guard leases[request.lease] != nil else { return answer.status = 5 }
            revoke(request.lease)
        case .leaseKeepAlive:
            guard let lease = leases[request.lease] else { return }
            leases[request.lease] = (lease.ttl, time + lease.ttl * 1_000_000_000)
            answer.details.answeredTTL = lease.ttl
        case .leaseTimeToLive:
            answer.details.answeredTTL = leases[request.lease].map { ($0.ends - time) / 1_000_000_000 } ?? -1
        default: answer.status = 12
        }
        answer.details.headerRevision = revision
    }

    private func hasLease(_ lease: Int64) -> Bool { lease == 0 || leases[lease] != nil }

    private func range(_ request: borrowing StoreRequest, _ answer: inout StoreAnswer) {
        let found = found(request.body, of: request)
        answer.details.answer.count = Int64(found.count)
        if request.body.flags.contains(.countOnly) { return }
        let limit = request.body.limit == 0 ? found.count : Int(request.body.limit)
        for name in found.prefix(limit) {
            guard let entry = entries[name] else { continue }
            var record = KeyValueRecord()
            let bytes = Array(name.utf8)
            record.key = answer.details.keys.number(of: bytes.span, at: 0..<bytes.count)
            record.modRevision = entry.modified
            record.lease = entry.lease
            answer.details.keyValues.append(record)
        }
    }

    /// Compares of create revisions with 0, and puts.
    private mutating func transact(_ request: borrowing StoreRequest, _ answer: inout StoreAnswer) {
        let holds = request.compares.allSatisfy { compare in
            (entries[Self.text(compare.key, of: request)]?.created ?? 0) == compare.operand
        }
        let branch: RequestOp.Branch = holds ? .success : .failure
        let parts = request.parts.filter { $0.branch == branch }
        guard parts.allSatisfy({ hasLease($0.lease) }) else { return answer.status = 5 }
        if !parts.isEmpty { revision += 1 }
        for part in parts { set(Self.text(part.key, of: request), part.lease, part.valueSize) }
        if holds { answer.details.answer.flags.insert(.succeeded) }
    }
}
