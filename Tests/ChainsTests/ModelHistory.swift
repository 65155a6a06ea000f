/// What clients of one key saw, and whether one register can have shown it to them (Wing and Gong 1993, with the memory
/// of Lowe 2017). Values are the numbers of the writes that wrote them, 0 where there is none.
struct ModelHistory {
    enum Kind { case read, write, delete, compareAndSet }
    enum Outcome { case ok, mismatch, unknown }

    struct Operation: CustomStringConvertible {
        var client: Int
        var kind: Kind
        /// Written, or read.
        var value: Int
        /// A CAS's.
        var expected = 0
        var outcome: Outcome
        var start: UInt64
        /// `UInt64.max`: open-ended.
        var end: UInt64

        var description: String {
            "c\(client) \(kind) \(value) expected \(expected) \(outcome) \(start)..\(end == .max ? "" : "\(end)")"
        }
    }

    var operations: [Operation] = []

    private struct Place: Hashable {
        var done: UInt64
        var value: Int
    }

    /// Precondition: at most 64 operations that may have had an effect or say something.
    var isLinearizable: Bool {
        let judged = operations.filter { $0.outcome != .unknown || $0.kind != .read }
        precondition(judged.count <= 64, "a history of a key has at most 64 operations")
        var closed: UInt64 = 0
        for (index, operation) in judged.enumerated() where operation.outcome != .unknown { closed |= 1 << index }
        var seen: Set<Place> = []
        var stack = [Place(done: 0, value: 0)]
        while let place = stack.popLast() {
            if place.done & closed == closed { return true }
            guard seen.insert(place).inserted else { continue }
            // Whatever returned first among those not placed must come before all that began after that.
            var bound = UInt64.max
            for (index, operation) in judged.enumerated() where place.done & 1 << index == 0 {
                bound = min(bound, operation.end)
            }
            for (index, operation) in judged.enumerated() where place.done & 1 << index == 0 {
                guard operation.start <= bound, let next = Self.step(operation, from: place.value) else { continue }
                stack.append(Place(done: place.done | 1 << index, value: next))
            }
        }
        return false
    }

    /// The value after the operation; nil if it cannot come here.
    private static func step(_ operation: Operation, from value: Int) -> Int? {
        switch (operation.kind, operation.outcome) {
        case (.read, _): operation.value == value ? value : nil
        case (.write, _): operation.value
        case (.delete, _): 0
        case (.compareAndSet, .mismatch): operation.expected == value ? nil : value
        case (.compareAndSet, _): operation.expected == value ? operation.value : nil
        }
    }
}
