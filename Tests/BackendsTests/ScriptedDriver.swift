import Etcd
import Replay

/// Asks what a test wants, and keeps what is answered.
final class ScriptedDriver: StoreDriver {
    /// An answer, and the keys that it names as text.
    struct Heard {
        var answer: StoreAnswer
        var keys: [String]
        var error: String
    }

    /// What is asked, each once what `isInFlight` others at most are unanswered.
    private let script: [(inout StoreRequest) -> Void]
    private let inFlight: Int
    private var asked = 0
    private var unanswered = 0
    /// Called with each answer, on the loop's thread.
    var heard: (Heard) -> Void = { _ in }
    /// By the number of the request, which is its place in the script.
    private(set) var answers: [UInt32: [Heard]] = [:]
    private(set) var events: [Heard] = []
    private(set) var ends: [Heard] = []
    /// Events to wait for when all is answered.
    var eventsWanted = 0
    /// When to ask next, nanoseconds from one request to the next; 0: as soon as may be.
    var pause: Int64 = 0
    private var due: Int64 = 0

    init(inFlight: Int = 1, _ script: [(inout StoreRequest) -> Void]) {
        self.inFlight = inFlight
        self.script = script
    }

    private var now: Int64 = 0

    /// How often it was told the time, and when each request was asked.
    private(set) var turns = 0
    private(set) var asks: [Int64] = []

    func turn(at now: Int64) {
        self.now = now
        turns += 1
    }

    func next(into request: inout StoreRequest) -> Bool {
        guard asked < script.count, unanswered < inFlight, now >= due else { return false }
        request.removeAll()
        request.number = UInt32(asked)
        script[asked](&request)
        asks.append(now)
        asked += 1
        unanswered += 1
        due = now + pause
        return true
    }

    func receive(_ answer: borrowing StoreAnswer) {
        let answer = copy answer
        let keys = answer.details.keyValues.map { record in
            record.key == 0
                ? ""
                : String(decoding: answer.details.keys.bytes[answer.details.keys.range(of: record.key)], as: UTF8.self)
        }
        let item = Heard(answer: answer, keys: keys, error: String(decoding: answer.errorText, as: UTF8.self))
        switch answer.role {
        case .answer:
            unanswered -= 1
            answers[answer.number, default: []].append(item)
        case .event: events.append(item)
        case .streamEnd: ends.append(item)
        }
        heard(item)
    }

    var nextDue: Int64 { asked < script.count && unanswered < inFlight ? due : .max }
    var isDone: Bool { asked == script.count && unanswered == 0 && events.count >= eventsWanted }

    /// The one answer to the request of that place.
    func answer(_ place: Int) -> StoreAnswer? {
        let all = answers[UInt32(place)] ?? []
        return all.count == 1 ? all[0].answer : nil
    }
}

extension StoreRequest {
    mutating func name(_ key: String) -> KeyNumber {
        let bytes = Array(key.utf8)
        return keys.number(of: bytes.span, at: 0..<bytes.count)
    }

    mutating func set(_ kind: OperationKind, _ path: String) {
        self.kind = kind
        let path = Array(path.utf8)
        method = MethodCatalogue.number(ofPath: path.span)
    }

    mutating func put(_ key: String, size: Int64 = 10, lease: Int64 = 0) {
        set(.put, "/etcdserverpb.KV/Put")
        body.kind = .put
        body.key = name(key)
        body.valueSize = size
        body.lease = lease
        valueID = 0x6b76_7265_656c_3031
    }

    mutating func range(_ key: String, to end: String? = nil, kind: OperationKind = .range) {
        set(kind, kind == .range ? "/etcdserverpb.KV/Range" : "/etcdserverpb.KV/RangeStream")
        body.kind = .range
        body.key = name(key)
        if let end {
            body.rangeEnd = name(end)
            body.flags.insert(.hasRangeEnd)
        }
    }

    mutating func delete(_ key: String) {
        set(.delete, "/etcdserverpb.KV/DeleteRange")
        body.kind = .delete
        body.key = name(key)
    }

    /// If the key's mod revision is that, puts it, else reads it.
    mutating func update(_ key: String, ifModified revision: Int64) {
        set(.txn, "/etcdserverpb.KV/Txn")
        body.kind = .txn
        var compare = Compare()
        compare.target = .modRevision
        compare.operand = revision
        compare.key = name(key)
        compares = [compare]
        body.compares = Slice(start: 0, count: 1)
        var put = RequestOp()
        put.kind = .put
        put.branch = .success
        put.key = name(key)
        put.valueSize = 5_000
        var range = RequestOp()
        range.kind = .range
        range.branch = .failure
        range.key = name(key)
        parts = [put, range]
    }

    mutating func message(_ kind: OperationKind, on stream: UInt32) {
        set(kind, kind == .leaseKeepAlive ? "/etcdserverpb.Lease/LeaseKeepAlive" : "/etcdserverpb.Watch/Watch")
        action = .message
        self.stream = stream
    }

    mutating func endStream(_ stream: UInt32, _ kind: OperationKind) {
        message(kind, on: stream)
        action = .endStream
    }
}
