package import Etcd
package import Replay

/// The numbers behind what a replay's trace says of itself in words. Those of its shards add up, and their words are
/// made of the sums.
///
/// As text a line each that is not 0: a name, and behind its last space the number. Names never change their meaning;
/// those that are not known are added up all the same.
package struct RunCounts: Equatable, Sendable {
    package enum Name: String, Sendable, CaseIterable {
        case connections
        // What remarks are made of, in their order.
        case interrupted
        case unsent
        case outstanding
        case heldBack = "held back"
        case fellBack = "fell back"
        case unsupported
        case connectionLost = "connection lost"
        case timedOut = "timed out"
        case endedStreams = "ended streams"
        case reopenedStreams = "reopened streams"
        case streamLosses = "stream losses"
        case cancelledWatches = "cancelled watches"
        case unmapped
        case orderViolations = "order violations"
        case crossings
        case revisionReads = "revision reads"
        case unansweredExecuted = "unanswered executed"
        case staleReads = "stale reads"
        case watchesBegunAnew = "watches begun anew"
        case fillersLeftOut = "fillers left out"
        case cyclesBroken = "cycles broken"
        // The parts of the score.
        case compared
        case same
        case writes
        case begun
        case approximated
        case approximatedSame = "approximated same"
        /// Of watches, as the recording has them; none of a replay in loops.
        case recordedEvents = "recorded events"
        // What was checked for consistency.
        case checkedOperations = "checked operations"
        case checkedKeys = "checked keys"
        case strangeRevisions = "strange revisions"
    }

    private var numbers: [(name: String, number: Int64)] = []
    private var places: [String: Int] = [:]

    /// Names that a trace may give: a few dozen are in use.
    private static let limit = 4096

    package init() {}

    package subscript(name: Name) -> Int64 {
        get { self[name.rawValue] }
        set { self[name.rawValue] = newValue }
    }

    /// Calls that were not replayed.
    package subscript(kind: OperationKind, reason: Omission) -> Int64 {
        get { self["omitted \(reason) \(kind)"] }
        set { self["omitted \(reason) \(kind)"] = newValue }
    }

    /// Calls and messages that the plan has for one loop.
    package subscript(planned kind: OperationKind) -> Int64 {
        get { self["planned \(kind)"] }
        set { self["planned \(kind)"] = newValue }
    }

    /// What kvreel asked the store beside the replay.
    package subscript(own kind: OperationKind) -> Int64 {
        get { self["own \(kind)"] }
        set { self["own \(kind)"] = newValue }
    }

    /// Calls and messages of the recording, those that were not replayed with them.
    package func recorded(_ kind: OperationKind) -> Int64 {
        Omission.allCases.reduce(self[planned: kind]) { all, reason in
            let (sum, overflow) = all.addingReportingOverflow(self[kind, reason])
            return overflow ? .max : sum
        }
    }

    /// What the backend counted, in its order.
    package var counters: [BackendCounter] {
        get {
            numbers.filter { $0.name.hasPrefix(Self.counter) }
                .map { BackendCounter(String($0.name.dropFirst(Self.counter.count)), Int($0.number)) }
        }
        set { for counter in newValue { self[Self.counter + counter.words] = Int64(counter.count) } }
    }

    private static let counter = "counter "

    private subscript(name: String) -> Int64 {
        get { places[name].map { numbers[$0].number } ?? 0 }
        set {
            if let place = places[name] {
                numbers[place].number = newValue
            } else if newValue != 0, numbers.count < Self.limit {
                places[name] = numbers.count
                numbers.append((name, newValue))
            }
        }
    }

    package static func + (left: RunCounts, right: RunCounts) -> RunCounts {
        var sum = left
        for (name, number) in right.numbers {
            let (total, overflow) = sum[name].addingReportingOverflow(number)
            sum[name] = overflow ? .max : total
        }
        return sum
    }

    package static func == (left: RunCounts, right: RunCounts) -> Bool {
        left.numbers.allSatisfy { right[$0.name] == $0.number }
            && right.numbers.allSatisfy { left[$0.name] == $0.number }
    }

    package var text: String {
        numbers.filter { $0.number != 0 }.map { "\($0.name) \($0.number)" }.joined(separator: "\n")
    }

    /// Takes a text as above; lines that are otherwise are passed over.
    package init(text: String) {
        for line in text.split(separator: "\n") {
            guard let space = line.lastIndex(of: " "), let number = Int64(line[line.index(after: space)...]),
                number >= 0
            else { continue }
            self[String(line[..<space])] = number
        }
    }
}
