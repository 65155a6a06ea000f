import BackendConformance
import Etcd
import Replay
import Wire

/// Reads, puts, deletes and comparisons of few keys, many at once, by chance; and what became of each.
final class Storm: StoreDriver {
    enum Kind: Int {
        case read, put, delete, compare
    }

    struct Call {
        var kind: Kind
        var key: Int
        /// Of a comparison.
        var expected: Int64 = 0
        var size: Int64 = 0
        var answers: [StoreAnswer] = []

        var answer: StoreAnswer { answers[0] }
        var isUnknown: Bool { answer.note != .none }
        /// What it wrote or saw.
        var revision: Int64 { answer.details.headerRevision }
        /// Whether it is known to have changed the key.
        var hasChanged: Bool {
            guard !answers.isEmpty, answer.status == 0 else { return false }
            return switch kind {
            case .read: false
            case .put: true
            case .delete: answer.details.answer.count == 1
            case .compare: answer.details.answer.flags.contains(.succeeded)
            }
        }
    }

    private let keys: [String]
    private let count: Int
    private let inFlight: Int
    private let sizes: ClosedRange<Int>
    private var random: SplitMix64
    /// What to do when so many were answered.
    private var events: [(after: Int, body: () -> Void)]
    private(set) var calls: [Call] = []
    private(set) var strange = 0
    private var answered = 0
    /// The latest that was seen of each key.
    private var revisions: [Int64]

    init(
        keys: [String], count: Int, inFlight: Int, sizes: ClosedRange<Int>, seed: UInt64,
        events: [(after: Int, body: () -> Void)] = []
    ) {
        self.keys = keys
        self.count = count
        self.inFlight = inFlight
        self.sizes = sizes
        self.events = events
        random = SplitMix64(seed: seed)
        revisions = Array(repeating: 0, count: keys.count)
    }

    func turn(at now: Int64) {
        while let event = events.first, answered >= event.after {
            events.removeFirst()
            event.body()
        }
    }

    var nextDue: Int64 { .max }
    var isDone: Bool { answered == count && events.isEmpty }

    func next(into request: inout StoreRequest) -> Bool {
        guard calls.count < count, calls.count - answered < inFlight else { return false }
        let key = random.below(keys.count)
        let kinds: [Kind] = [.read, .read, .read, .read, .put, .delete, .compare, .compare, .compare, .compare]
        var call = Call(kind: kinds[random.below(kinds.count)], key: key)
        call.size = Int64(sizes.lowerBound + random.below(sizes.count))
        call.expected = revisions[key]
        request.removeAll()
        request.number = UInt32(calls.count)
        switch call.kind {
        case .read: request.range(keys[key])
        case .put: request.put(keys[key], size: call.size)
        case .delete: request.delete(keys[key])
        case .compare: request.update(keys[key], ifModified: call.expected, size: call.size)
        }
        request.valueID = UInt64(calls.count + 1) << 16
        calls.append(call)
        return true
    }

    func receive(_ answer: borrowing StoreAnswer) {
        let answer = copy answer
        guard calls.indices.contains(Int(answer.number)), answer.role == .answer else { return strange += 1 }
        let place = Int(answer.number)
        calls[place].answers.append(answer)
        answered += 1
        // Absent is compared with by 0.
        let call = calls[place]
        switch call.kind {
        case .read: revisions[call.key] = answer.details.answer.count == 0 ? 0 : call.revision
        case .put: if answer.status == 0 { revisions[call.key] = call.revision }
        case .delete: if answer.status == 0 { revisions[call.key] = 0 }
        case .compare:
            let found = answer.details.keyValues.first.map { $0.modRevision }
            revisions[call.key] = found ?? (call.hasChanged ? call.revision : 0)
        }
    }
}
