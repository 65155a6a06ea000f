import Analysis
import Consistency
import Etcd
import Testing
import Wire

@Suite("The history of a trace")
struct TraceHistoryTests {
    /// Calls with their times and answers, on one connection.
    private struct Recording {
        var batch = OperationBatch()

        mutating func key(_ key: String) -> KeyNumber { batch.keys.number(of: key) }

        mutating func states(_ states: [(String, Int64, Int64)], _ kind: KeyValueRecord.Kind = .reply) -> Slice {
            let start = batch.keyValues.count
            for (key, modRevision, createRevision) in states {
                var record = KeyValueRecord()
                record.kind = kind
                record.key = self.key(key)
                record.modRevision = modRevision
                record.createRevision = createRevision
                batch.keyValues.append(record)
            }
            return Slice(start: UInt32(start), count: UInt32(states.count))
        }

        mutating func call(
            _ kind: OperationKind, _ body: RequestOp, at time: Int64, revision: Int64,
            _ change: (inout Operation) -> Void = { _ in }
        ) {
            var call = Operation(
                time: CaptureTime(nanoseconds: time), connection: 4, stream: 1, role: .call, kind: kind,
                evidence: .seen, method: .unknown)
            call.completeness = [.completed]
            call.status = 0
            call.responseEnd = 5
            call.headerRevision = revision
            call.body = body
            change(&call)
            batch.operations.append(call)
        }

        mutating func body(_ kind: RequestOp.Kind, _ key: String, end: String? = nil) -> RequestOp {
            var body = RequestOp()
            body.kind = kind
            body.key = self.key(key)
            body.flags = .answered
            if let end {
                body.rangeEnd = self.key(end)
                body.flags.insert(.hasRangeEnd)
            }
            return body
        }

        mutating func put(_ key: String, at time: Int64, revision: Int64) {
            call(.put, body(.put, key), at: time, revision: revision)
        }

        /// `found`: mod and create revision; nil for no key.
        mutating func get(
            _ key: String, at time: Int64, found: (Int64, Int64)?, _ change: (inout Operation) -> Void = { _ in }
        ) {
            var body = body(.range, key)
            if let found {
                body.keyValues = states([(key, found.0, found.1)])
                body.count = 1
            }
            call(.range, body, at: time, revision: 100, change)
        }

        mutating func list(_ from: String, _ to: String, at time: Int64, found: [(String, Int64, Int64)], all: Int64) {
            var body = body(.range, from, end: to)
            body.keyValues = states(found)
            body.count = all
            call(.range, body, at: time, revision: 100)
        }

        mutating func delete(_ key: String, at time: Int64, revision: Int64, deleted: Int64 = 1) {
            var body = body(.delete, key)
            body.count = deleted
            call(.delete, body, at: time, revision: revision)
        }

        var mapped: TraceHistory { mapped(revisionsAreOrdered: true) }

        func mapped(revisionsAreOrdered: Bool) -> TraceHistory {
            var history = TraceHistory(revisionsAreOrdered: revisionsAreOrdered)
            history.add(batch)
            history.finish()
            return history
        }

        var check: HistoryCheck { HistoryCheck(mapped.history) }

        /// `read a 5 10...15`, in order.
        var words: [String] {
            let history = mapped.history
            return history.operations.map { operation in
                let key = String(decoding: history.keys.text(Int(operation.key)), as: UTF8.self)
                return "\(operation.kind) \(key) \(operation.value) \(operation.call)...\(operation.return)"
            }
        }
    }

    @Test("puts, reads and deletions of a key, by mod revision")
    func singleKeys() {
        var recording = Recording()
        recording.put("a", at: 0, revision: 7)
        recording.get("a", at: 10, found: (7, 7))
        recording.get("b", at: 20, found: nil)
        recording.delete("a", at: 30, revision: 8)
        recording.delete("a", at: 40, revision: 8, deleted: 0)
        #expect(
            recording.words == [
                "write a 7 0...5", "read a 7 10...15", "read b 0 20...25", "delete a 8 30...35", "read a 0 40...45",
            ])
        #expect(recording.check.verdict == .linearizable)
    }

    @Test("where nothing is, a chain has no revision")
    func withoutRevision() {
        var recording = Recording()
        recording.get("a", at: 0, found: nil) { $0.headerRevision = 0 }
        #expect(recording.words == ["read a 0 0...5"])
        recording.call(.put, recording.body(.put, "a"), at: 10, revision: 0)
        #expect(recording.words.count == 1)
        #expect(recording.mapped.excluded[.answerLost] == 1)
    }

    @Test("of values without an order, only what was found when tells", arguments: [7, 9])
    func unordered(found: Int64) {
        var recording = Recording()
        recording.put("a", at: 0, revision: 9)
        recording.put("a", at: 20, revision: 7)
        recording.get("a", at: 40, found: (found, found))
        let check = HistoryCheck(recording.mapped(revisionsAreOrdered: false).history)
        #expect(check.verdict == (found == 7 ? .linearizable : .violation))
        #expect(recording.check.verdict == .violation, "by revisions the second put went back in time")
    }

    @Test("a value that nobody wrote was there before, and is not found again behind a write")
    func unorderedBefore() {
        var recording = Recording()
        recording.get("a", at: 0, found: (5, 5))
        recording.put("a", at: 20, revision: 7)
        #expect(HistoryCheck(recording.mapped(revisionsAreOrdered: false).history).verdict == .linearizable)
        recording.get("a", at: 40, found: (5, 5))
        #expect(HistoryCheck(recording.mapped(revisionsAreOrdered: false).history).verdict == .violation)
    }

    @Test("a range finds what it returned, and nothing at the other keys in it")
    func ranges() {
        var recording = Recording()
        recording.list("k/", "k0", at: 0, found: [("k/b", 5, 3)], all: 1)
        recording.put("k/a", at: 10, revision: 9)
        recording.put("m", at: 20, revision: 10)
        #expect(
            recording.words == ["read k/b 5 0...5", "write k/a 9 10...15", "write m 10 20...25", "read k/a 0 0...5"])
        #expect(recording.check.verdict == .linearizable)
        // Two keys more than were returned: nothing is known of the others.
        recording.batch.operations[0].body.count = 3
        #expect(recording.words == ["read k/b 5 0...5", "write k/a 9 10...15", "write m 10 20...25"])
        #expect(recording.mapped.excluded[.incompleteRanges] == 1)
    }

    @Test("a list that lacks a key which was there before and after is a violation")
    func incompleteList() {
        var recording = Recording()
        recording.put("k/a", at: 0, revision: 5)
        recording.list("k/", "k0", at: 10, found: [], all: 0)
        #expect(recording.check.verdict == .linearizable, "somebody may have deleted it")
        recording.get("k/a", at: 20, found: (5, 5))
        let check = recording.check
        #expect(check.verdict == .violation)
        #expect(
            check.counterexample?.reason
                == "Client 4's read found absence, though client 4's write of revision 5 had ended before it began, "
                + "client 4's read of revision 5 began after it had ended, and nothing can have deleted the key in "
                + "between.")
    }

    @Test("a key that lives on from its creation was there in between")
    func lives() {
        var recording = Recording()
        recording.put("a", at: 0, revision: 5)
        recording.get("a", at: 10, found: nil)
        recording.put("a", at: 20, revision: 9)
        #expect(recording.check.verdict == .linearizable)
        recording.get("a", at: 30, found: (9, 5))
        #expect(recording.check.verdict == .violation)
    }

    @Test("an older revision after a newer one is a violation, whoever wrote them")
    func older() {
        var recording = Recording()
        recording.get("a", at: 0, found: (9, 3))
        recording.get("a", at: 10, found: (7, 3))
        let check = recording.check
        #expect(check.verdict == .violation)
        #expect(
            check.counterexample?.reason
                == "Client 4's read of revision 7 began after client 4's read of revision 9 had ended; revisions only "
                + "rise."
        )
    }

    @Test("a transaction's compares, and the branch that ran")
    func transactions() {
        var recording = Recording()
        func transaction(_ operand: Int64, _ relation: Compare.Relation, succeeded: Bool, at time: Int64) {
            var compare = Compare()
            compare.target = .modRevision
            compare.relation = relation
            compare.key = recording.key("a")
            compare.operand = operand
            var body = RequestOp()
            body.kind = .txn
            body.flags = succeeded ? [.answered, .succeeded] : .answered
            body.compares = Slice(start: UInt32(recording.batch.compares.count), count: 1)
            recording.batch.compares.append(compare)
            let start = recording.batch.parts.count
            var put = recording.body(.put, "a")
            put.branch = .success
            if !succeeded { put.flags = [] }
            var get = recording.body(.range, "a")
            get.branch = .failure
            if succeeded { get.flags = [] } else { get.keyValues = recording.states([("a", 8, 3)]) }
            get.count = 1
            recording.batch.parts += [put, get]
            recording.call(.txn, body, at: time, revision: 20) { $0.parts = Slice(start: UInt32(start), count: 2) }
        }
        transaction(7, .equal, succeeded: true, at: 0)
        #expect(recording.words == ["read a 7 0...5", "write a 20 0...5"])
        recording = Recording()
        transaction(7, .equal, succeeded: false, at: 0)
        #expect(recording.words == ["read a 8 0...5"])
        recording = Recording()
        transaction(8, .notEqual, succeeded: false, at: 0)
        #expect(recording.words == ["read a 8 0...5", "read a 8 0...5"])
        recording = Recording()
        transaction(0, .greater, succeeded: false, at: 0)
        #expect(recording.words.first == "read a 0 0...5")
    }

    @Test("what says nothing certain is left out, and counted")
    func exclusions() {
        var recording = Recording()
        recording.get("a", at: 0, found: (9, 3)) { $0.body.flags.insert(.serializable) }
        recording.get("a", at: 0, found: (9, 3)) { $0.body.revision = 4 }
        recording.get("a", at: 0, found: nil) {
            $0.body.flags.insert(.countOnly)
            $0.body.count = 1
        }
        recording.get("a", at: 0, found: (9, 3)) { $0.completeness.insert(.responseDamaged) }
        recording.get("a", at: 0, found: (9, 3)) { $0.completeness.insert(.requestDamaged) }
        recording.get("a", at: 0, found: (9, 3)) { $0.status = 14 }
        recording.get("a", at: 0, found: nil) { $0.body.flags.remove(.answered) }
        recording.get("a", at: 0, found: nil) { $0.evidence = .ambiguous }
        recording.call(.put, recording.body(.put, "a"), at: 0, revision: 0) { $0.body.flags = [] }
        let mapped = recording.mapped
        #expect(mapped.history.operations.isEmpty)
        let reasons: [Exclusion] = [
            .serializable, .atRevision, .countOnly, .answerLost, .requestLost, .failed, .readUnanswered, .methodUnknown,
            .writeUnanswered,
        ]
        for reason in Exclusion.allCases { #expect(mapped.excluded[reason] == (reasons.contains(reason) ? 1 : 0)) }
    }

    @Test("a violation within what the clock was wrong by is unknown; one beyond it stays")
    func clock() {
        var recording = Recording()
        recording.get("a", at: 1_000, found: (9, 3))
        recording.get("b", at: 900, found: (4, 4))
        recording.get("a", at: 1_050, found: (7, 3))
        #expect(recording.mapped.clockError == 100)
        #expect(recording.check.verdict == .violation)
        #expect(TraceCheck(recording.mapped).verdict == .unknown)
        recording.get("a", at: 2_000, found: (7, 3))
        #expect(TraceCheck(recording.mapped).verdict == .violation)
    }
}
