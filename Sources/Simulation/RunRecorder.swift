package import Consistency

/// Writes down what clients asked and were told, and how long it took.
package struct RunRecorder: Sendable {
    /// What is known of an operation beside its place in the history.
    package struct Note: Equatable, Sendable {
        /// Position of the switch that it was last sent to; -1 where the client chose.
        package var entry: Int
    }

    package private(set) var history = History()
    /// As the operations of the history.
    package private(set) var notes: [Note] = []
    package private(set) var latencies: [LatencyClass]
    /// By number of the value: 0 is absence.
    private var valueCount = 0

    /// Times of one kind of operation that entered at one position.
    package struct LatencyClass: Sendable {
        package var kind: HistoryOperation.Kind
        package var position: Int
        package var latency = LatencyHistogram()
    }

    package init(keys: Int, positions: Int) {
        for key in 1...max(1, keys) { _ = history.keys.number(of: "k\(key)") }
        latencies = []
        for kind in HistoryOperation.Kind.allCases {
            for position in 0..<positions { latencies.append(LatencyClass(kind: kind, position: position)) }
        }
    }

    /// The number of a value that nobody wrote before.
    package mutating func newValue() -> Int {
        valueCount += 1
        return history.values.number(of: "v\(valueCount)")
    }

    /// An operation begins; answers its number. Until `end` its outcome is unknown.
    package mutating func begin(
        _ kind: HistoryOperation.Kind, client: Int, key: Int, value: Int = 0, expect: Int = 0, entry: Int,
        at time: UInt64
    ) -> Int {
        history.operations.append(
            HistoryOperation(
                client: Int64(client), key: UInt32(key), kind: kind, outcome: .unknown, value: Int64(value),
                expect: Int64(expect), call: Int64(time)))
        notes.append(Note(entry: entry))
        return notes.count - 1
    }

    /// An operation ends as it was asked to: a read with the number of the value that it found.
    package mutating func end(_ operation: Int, value: Int? = nil, entry: Int, at time: UInt64) {
        if let value { history.operations[operation].value = Int64(value) }
        history.operations[operation].outcome = .ok
        history.operations[operation].return = Int64(time)
        notes[operation].entry = entry
        let kind = history.operations[operation].kind
        let positions = latencies.count / HistoryOperation.Kind.allCases.count
        guard (0..<positions).contains(entry) else { return }
        let asked = UInt64(history.operations[operation].call)
        latencies[Int(kind.rawValue) * positions + entry].latency.add(time - asked)
    }

    /// An operation certainly did nothing. `time`: when a CAS was told that another value was there; no return where
    /// nothing was told.
    package mutating func fail(_ operation: Int, at time: Int64) {
        history.operations[operation].outcome = .failed
        history.operations[operation].return = time
    }

    /// Keys whose last read, begun after everything else was over, shows a value that an acknowledged write replaced:
    /// one that began after the value's own write had returned, or one that somebody read after that.
    package func lostWrites(finalReads: [Int]) -> Int {
        var lost = 0
        for read in finalReads {
            let final = history.operations[read]
            guard final.outcome == .ok, final.kind == .read else { continue }
            let writes = history.operations.filter { $0.key == final.key && $0.kind != .read }
            let source = writes.filter { $0.value == final.value && $0.kind != .delete }
            // Absence may be the beginning, or any delete.
            guard final.value == 0 ? !writes.contains(where: { $0.kind == .delete }) : !source.isEmpty else { continue }
            let end = final.value == 0 ? -1 : source.map(\.return).max() ?? HistoryOperation.noReturn
            let isLost = writes.contains { write in
                guard write.outcome == .ok, write.return < final.call, write.value != final.value else { return false }
                if write.call > end { return true }
                return write.value != 0
                    && history.operations.contains { read in
                        read.kind == .read && read.key == final.key && read.value == write.value && read.outcome == .ok
                            && read.call > end && read.return < final.call
                    }
            }
            if isLost { lost += 1 }
        }
        return lost
    }
}
