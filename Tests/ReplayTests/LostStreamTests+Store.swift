import Etcd
import Replay
import Testing
import Wire

// Plans with streams, and a store that loses them.
extension LostStreamTests {
    static let ms: Int64 = 1_000_000
    static let watchPath = "/etcdserverpb.Watch/Watch"
    static let leasePath = "/etcdserverpb.Lease/LeaseKeepAlive"

    // MARK: Plans

    /// A stream for watches, and one for keep-alives, without a message.
    static func plan() -> HandmadePlan {
        var made = HandmadePlan()
        made.plan.streams = [
            PlannedStream(method: HandmadePlan.method(watchPath), connection: 0),
            PlannedStream(method: HandmadePlan.method(leasePath), connection: 0),
        ]
        return made
    }

    /// A plan that creates a watch at 0 and goes on until that time.
    static func watching(from revision: Int64 = 0, until end: Int64) -> HandmadePlan {
        var made = plan()
        create(&made, "a", at: 0, from: revision)
        made.range("last", at: end)
        return made
    }

    @discardableResult
    static func create(_ made: inout HandmadePlan, _ key: String, at time: Int64, from revision: Int64 = 0)
        -> UInt32
    {
        let key = made.key(key)
        return made.add(.watchCreate, watchPath, at: time) {
            $0.action = .message
            $0.request = .watching(key, from: revision, watchID: 40)
        }
    }

    /// Cancels the watch that the call creates.
    @discardableResult
    static func cancel(_ made: inout HandmadePlan, _ create: UInt32, at time: Int64) -> UInt32 {
        let patches = Slice(start: UInt32(made.plan.patches.count), count: 1)
        made.plan.patches.append(Patch(.watch, from: .watchOfCall, number: create))
        let call = made.add(.watchCancel, watchPath, at: time) {
            $0.action = .message
            $0.request = .asking { $0.watchID = 40 }
            $0.patches = patches
        }
        made.edges.append((create, call))
        return call
    }

    static func endStream(_ made: inout HandmadePlan, at time: Int64) {
        made.add(.watch, watchPath, at: time) { $0.action = .endStream }
    }

    // MARK: The store

    /// Gives watches the numbers 0, 1 and so on, and each answer revision 99.
    static func store(losing moments: Int64...) -> ScriptedStore {
        var store = ScriptedStore()
        var watches: Int64 = 0
        store.respond = { sent, answer in
            answer.details.headerRevision = 99
            answer.details.watch.watchID = sent.request.watchID
            switch sent.request.kind {
            case .watchCreate:
                answer.details.watch.isCreated = true
                answer.details.watch.watchID = watches
                watches += 1
            case .watchCancel: answer.details.watch.isCanceled = true
            case .watchProgress: answer.details.watch.watchID = -1
            default: break
            }
        }
        store.events = moments.map { ($0, lost()) }
        return store
    }

    /// What a backend says of a stream that went with its connection.
    static func lost(stream: UInt32 = 0) -> StoreAnswer {
        var answer = StoreAnswer()
        answer.role = .streamEnd
        answer.stream = stream
        answer.note = .connectionLost
        answer.status = 14
        return answer
    }

    /// Of the stream's watch of that number: an event at each revision, or if there are none, a notification.
    static func event(_ revisions: Int64..., watch: Int64 = 0, header: Int64 = 200) -> StoreAnswer {
        var answer = StoreAnswer()
        answer.role = .event
        answer.details.headerRevision = header
        answer.details.watch.watchID = watch
        let text = Array("a".utf8)
        for revision in revisions {
            var record = KeyValueRecord()
            record.kind = .putEvent
            record.key = answer.details.keys.number(of: text.span, at: text.indices)
            record.modRevision = revision
            answer.details.keyValues.append(record)
        }
        return answer
    }

    static func times(_ store: ScriptedStore, _ kind: OperationKind) -> [Int64] {
        store.sent.filter { $0.request.kind == kind }.map(\.time)
    }
}
