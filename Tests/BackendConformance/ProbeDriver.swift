import Etcd
import Glibc
import Replay

/// Asks what a script says, keeps what is answered, and takes down each rule that the backend breaks on the way.
///
/// Requests are numbered from `base`, so that an answer which an earlier driver left is not taken for one of this.
final class ProbeDriver: StoreDriver {
    /// One request of a script. It may use what was answered before.
    typealias Step = (inout StoreRequest, ProbeDriver) -> Void

    /// An answer, and the keys that its key-values name as text.
    struct Heard {
        var answer: StoreAnswer
        var keys: [String]
    }

    private struct Asked {
        var time: Int64
        var action: PlannedCall.Action
        var kind: OperationKind
        var connection: UInt32
        var stream: UInt32
    }

    // What is asked.
    private let backend: any Backend
    private let script: [Step]
    private let base: UInt32
    /// Requests that may be unanswered at once.
    var inFlight = 1
    /// Requests that are not waited for among themselves.
    var together = 0..<0
    /// Nanoseconds from one request to the next.
    var pause: Int64 = 0
    /// Nanoseconds before the first request.
    var delay: Int64 = 0
    /// Events to wait for when all is answered.
    var eventsWanted = 0
    /// Whether it is done as soon as all is asked.
    var leavesOpen = false
    /// Nanoseconds after its start at which it is done in any case.
    private let patience: Int64

    // What was seen.
    private(set) var violations: [Violation] = []
    private(set) var events: [Heard] = []
    private(set) var ends: [Heard] = []
    private var answers: [[Heard]]
    private var asked: [Asked] = []
    private var unanswered = 0

    // The loop.
    private var thread: UInt?
    private var start: Int64?
    private var time: Int64 = .min
    private var clock: Int64 = .min
    private var due: Int64 = .min
    private var hasTurned = false
    private var hasMore = false
    private var announced: Int64?
    private var isOver = false
    private var idleTurns = 0
    private var answersSince = 0
    private var received = 0

    init(_ backend: any Backend, base: UInt32, patience: Int64, _ script: [Step]) {
        self.backend = backend
        self.base = base
        self.patience = patience
        self.script = script
        answers = Array(repeating: [], count: script.count)
    }

    /// The first answer to the request of that place in the script; empty when there is none.
    func answer(_ place: Int) -> StoreAnswer { answers[place].first?.answer ?? StoreAnswer() }
    func keys(_ place: Int) -> [String] { answers[place].first?.keys ?? [] }

    /// Takes down that a rule is broken; the first time of each says enough.
    func note(_ rule: Violation.Rule, _ seen: @autoclosure () -> String) {
        if violations.contains(where: { $0.rule == rule }) { return }
        violations.append(Violation(rule: rule, seen: seen()))
    }

    func expect(_ isTrue: Bool, _ rule: Violation.Rule, _ seen: @autoclosure () -> String) {
        if !isTrue { note(rule, seen()) }
    }

    // MARK: The loop

    private func check(_ call: String) {
        let current = UInt(pthread_self())
        if thread == nil { thread = current }
        expect(thread == current, .thread, "`\(call)` on another one")
        expect(!isOver, .end, "`\(call)` after the driver was done")
        let now = backend.now
        expect(now >= clock, .clock, "`now` is \(now) after \(clock)")
        clock = now
    }

    func turn(at now: Int64) {
        check("turn")
        expect(now >= time && now <= clock, .clock, "`turn` at \(now) after \(time), and it is \(clock)")
        if let announced, now < announced, answersSince == 0 { idleTurns += 1 }
        // A timer may be a little early, and an answer may be told of twice.
        expect(idleTurns <= 16 + received, .sleep, "\(idleTurns) turns before the time, for \(received) answers")
        time = max(time, now)
        if start == nil {
            start = now
            due = now + delay
        }
        hasTurned = true
        answersSince = 0
    }

    func next(into request: inout StoreRequest) -> Bool {
        check("next")
        expect(hasTurned, .turn, "`next` without it")
        hasMore = mayAsk(besides: unanswered) && time >= due && !isLate
        guard hasMore else { return false }
        request.removeAll()
        request.connection = 0
        request.number = base + UInt32(asked.count)
        script[asked.count](&request, self)
        asked.append(
            Asked(
                time: time, action: request.action, kind: request.kind, connection: request.connection,
                stream: request.stream))
        unanswered += 1
        due = time + pause
        return true
    }

    var nextDue: Int64 {
        check("nextDue")
        hasTurned = false
        let limit = (start ?? time) + patience
        let next = mayAsk(besides: unanswered) ? min(due, limit) : limit
        announced = next
        return next
    }

    private func mayAsk(besides unanswered: Int) -> Bool {
        asked.count < script.count
            && (unanswered < inFlight || together.contains(asked.count) && asked.count > together.lowerBound)
    }

    private var isLate: Bool { start.map { time - $0 >= patience } ?? false }

    var isDone: Bool {
        let isAsked = asked.count == script.count
        let isComplete = isAsked && (leavesOpen || unanswered == 0 && events.count >= eventsWanted)
        if isComplete || isLate { isOver = true }
        return isOver
    }

    // MARK: Answers

    func receive(_ answer: borrowing StoreAnswer) {
        check("receive")
        received += 1
        answersSince += 1
        let answer = copy answer
        let names = answer.details.keyValues.map { record in
            record.key == 0
                ? ""
                : String(decoding: answer.details.keys.bytes[answer.details.keys.range(of: record.key)], as: UTF8.self)
        }
        let item = Heard(answer: answer, keys: names)
        switch answer.role {
        case .answer: take(item)
        case .event: events.append(item)
        case .streamEnd: ends.append(item)
        }
    }

    private func take(_ item: Heard) {
        let answer = item.answer
        let place = Int(answer.number) - Int(base)
        guard asked.indices.contains(place) else {
            return note(.number, "number \(answer.number), of which there is none")
        }
        answers[place].append(item)
        guard answers[place].count == 1 else { return note(.once, "another answer to request \(place)") }
        expect(
            !(hasMore && mayAsk(besides: unanswered) && time >= due && answer.done > answer.sent && answer.sent != 0),
            .waiting, "request \(place) was answered while the next was due")
        unanswered -= 1
        checkTimes(of: answer, asked[place], place)
        if answer.note == .unsupported {
            expect(
                answer.sent == 0 && answer.status != 0, .unsupported, "sent at \(answer.sent), status \(answer.status)")
        }
        guard asked[place].action == .message else { return }
        for other in 0..<place
        where asked[other].action == .message && asked[other].stream == asked[place].stream
            && asked[other].kind == asked[place].kind && answers[other].isEmpty
        {
            note(.streamOrder, "request \(place) was answered before request \(other) of its stream")
        }
    }

    /// A time of 0 says that it did not come to that.
    private func checkTimes(of answer: StoreAnswer, _ request: Asked, _ place: Int) {
        let words = "request \(place): \(request.time), \(answer.sent), \(answer.firstByte), \(answer.done), \(clock)"
        let isWhole = answer.status == 0 && request.action != .endStream
        expect(!isWhole || answer.sent > 0 && answer.firstByte > 0, .times, words)
        var last = request.time
        for time in [answer.sent, answer.firstByte, answer.done] where time != 0 {
            expect(time >= last, .times, words)
            last = max(last, time)
        }
        expect(answer.done > 0 && last <= clock, .times, words)
        guard request.action == .call, answer.sent != 0 else { return }
        for other in asked.indices where other != place && asked[other].connection == request.connection {
            guard asked[other].action == .call, let sent = answers[other].first?.answer.sent, sent != 0 else {
                continue
            }
            expect(
                other < place ? sent <= answer.sent : sent >= answer.sent, .order,
                "request \(max(place, other)) before request \(min(place, other))")
        }
    }

    /// To be called when `run` has returned, or has thrown `error`.
    func finish(_ error: BackendError?) {
        if let error { note(.end, "\(error)") }
        if !isOver { note(.end, "`run` returned before the driver was done") }
        isOver = true
        guard !leavesOpen else { return }
        for place in asked.indices where answers[place].isEmpty {
            note(.answered, "none to request \(place) of \(asked.count)")
        }
        if mayAsk(besides: unanswered) {
            note(.wake, "request \(asked.count) was due at \(due) and never taken")
        }
        expect(events.count >= eventsWanted, .event, "\(events.count) of \(eventsWanted) events")
    }
}
