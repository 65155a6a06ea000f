import Etcd

/// Asks a store one thing: a probe before a run.
package final class SingleCall: StoreDriver {
    /// Nil until it came.
    package private(set) var answer: StoreAnswer?
    private let request: StoreRequest
    private var isSent = false

    package init(_ request: StoreRequest) { self.request = request }

    /// How many keys the store holds.
    package static func countOfAllKeys() -> SingleCall {
        var request = StoreRequest()
        request.set(.range)
        request.body.kind = .range
        request.body.flags = [.countOnly, .hasRangeEnd]
        let all: [UInt8] = [0]
        request.body.key = request.keys.number(of: all.span, at: 0..<1)
        request.body.rangeEnd = request.keys.number(of: all.span, at: 0..<1)
        return SingleCall(request)
    }

    package func turn(at now: Int64) {}
    package var nextDue: Int64 { .max }
    package var isDone: Bool { answer != nil }

    package func next(into request: inout StoreRequest) -> Bool {
        if isSent { return false }
        isSent = true
        request = self.request
        return true
    }

    package func receive(_ answer: borrowing StoreAnswer) {
        if case .answer = answer.role { self.answer = copy answer }
    }
}
