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
