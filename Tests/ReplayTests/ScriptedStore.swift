import Etcd
import Replay
import Wire

/// A store in virtual time: takes requests at once, and answers each after a latency, but not while it stalls.
struct ScriptedStore {
    struct Sent {
        var time: Int64
        var request: StoreRequest
        /// When it was answered.
        var done: Int64 = .max

        /// The number of the call, loops counted on.
        var call: Int { Int(request.valueID >> 16) - 1 }

        func text(_ key: KeyNumber) -> String {
            key == 0 ? "" : String(decoding: request.keys.bytes[request.keys.range(of: key)], as: UTF8.self)
        }
    }

    /// How long a request takes.
    var latency: (Sent) -> Int64 = { _ in 1000 }
    /// What the store says; times are filled in before.
    var respond: (Sent, inout StoreAnswer) -> Void = { _, _ in }
    /// Nothing is answered in it; what would be is, at its end.
    var stall: Range<Int64> = 0..<0
    /// What it says of itself, and when.
    var events: [(time: Int64, answer: StoreAnswer)] = []
    /// How much later than it asked for the engine is woken.
    var oversleep: () -> Int64 = { 0 }
    /// When the run is interrupted.
    var interrupt: Int64?
    /// In the order in which they were sent.
    var sent: [Sent] = []
    /// Of requests, in the order of the answers, and how many were outstanding at most.
    var answered: [Int] = []
    var outstandingMax = 0
    var time: Int64 = 0
    private var pending: [Int] = []
    /// What the store's clock says when the run begins; times here count from there.
    static let origin: Int64 = 7_000_000

    init() {}

    /// Runs to the end; what happened is in `sent`.
    mutating func run(_ engine: inout ReplayEngine, epoch: Int64 = 0) {
        var request = StoreRequest()
        engine.start(at: Self.origin, epoch: epoch)
        while true {
            engine.advance(to: Self.origin + time)
            if let moment = interrupt, time >= moment {
                engine.stop()
                interrupt = nil
            }
            while engine.next(into: &request) { take(request) }
            outstandingMax = max(outstandingMax, pending.count)
            if engine.isDone { break }
            let due = engine.nextDue
            var next = min(due == .max ? .max : due - Self.origin, interrupt ?? .max, events.first?.time ?? .max)
            for place in pending { next = min(next, sent[place].done) }
            guard next < .max else { break }
            time = max(time, next + oversleep())
            deliver(to: &engine)
        }
        engine.finish()
    }

    private mutating func take(_ request: StoreRequest) {
        var entry = Sent(time: time, request: request)
        entry.done = time + latency(entry)
        if stall.contains(entry.done) { entry.done = stall.upperBound }
        pending.append(sent.count)
        sent.append(entry)
    }

    private mutating func deliver(to engine: inout ReplayEngine) {
        while let event = events.first, event.time <= time {
            var answer = events.removeFirst().answer
            answer.done = Self.origin + event.time
            engine.receive(answer)
        }
        for place in pending where sent[place].done <= time {
            var answer = StoreAnswer()
            answer.number = sent[place].request.number
            answer.stream = sent[place].request.stream
            answer.sent = Self.origin + sent[place].time
            answer.firstByte = Self.origin + sent[place].done
            answer.done = Self.origin + sent[place].done
            answer.details.answer.flags = .answered
            respond(sent[place], &answer)
            answered.append(place)
            engine.receive(answer)
        }
        pending.removeAll { sent[$0].done <= time }
    }
}
