import Etcd
import Replay
import Report
import TestSupport
import Testing
import Trace
import Wire

@Suite("Summary of a replay")
struct RunSummaryTests {
    @Test("each time is counted from where it begins: by hand")
    func times() {
        var batch = OperationBatch()
        // Due at 1000, free to go at 1200, sent at 1230, answered at 1500.
        batch.append(kind: .range, sent: 1_230, intended: 230, released: 30, took: 270)
        // Due, free and sent at 2000, answered at 2100.
        batch.append(kind: .put, sent: 2_000, intended: 0, released: 0, took: 100)
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect(summary.total == 2)
        #expect(summary.nanoseconds == 1_100)
        #expect([summary.response.percentile(50), summary.response.max] == [100, 500])
        #expect([summary.service.percentile(50), summary.service.max] == [100, 270])
        #expect([summary.sendLag.percentile(50), summary.sendLag.max] == [0, 30])
        #expect([summary.dependencyWait.percentile(50), summary.dependencyWait.max] == [0, 200])
    }

    @Test("the warm-up is in all counts, and in no time")
    func warmUp() {
        var batch = OperationBatch()
        for (sent, took) in [(1_000, 900), (2_000, 700), (3_000, 100), (3_500, 500)] {
            batch.append(kind: .put, sent: Int64(sent), took: Int64(took), status: sent == 2_000 ? 14 : 0)
            batch.replays[batch.replays.count - 1].isWarmUp = sent < 3_000
        }
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect([summary.total, summary.warmUp, summary.errors, summary.compared] == [4, 2, 1, 4])
        #expect(summary.nanoseconds == 1_000)
        #expect(summary.throughput == 2e6)
        #expect([summary.service.count, summary.service.min, summary.service.max] == [2, 100, 500])
    }

    @Test("errors by status; outcomes of the first loop only")
    func outcomes() {
        var batch = OperationBatch()
        batch.append(kind: .range, sent: 10, took: 5)
        batch.append(kind: .txn, sent: 20, took: 5, status: 14, difference: 7)
        batch.append(kind: .txn, sent: 30, took: 5, difference: 2)
        batch.append(kind: .txn, sent: 40, took: 5, difference: 2, loop: 1)
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect(summary.errors == 1)
        #expect(summary.statuses == [0: 3, 14: 1])
        #expect(summary.compared == 3)
        #expect(summary.differences == [7: 1, 2: 1])
        #expect(summary.answered[Int(OperationKind.txn.rawValue)] == 3)
    }

    @Test("what was never answered is an error, compared, and in no time")
    func lost() {
        var batch = OperationBatch()
        batch.append(kind: .txn, sent: 10, took: 5)
        batch.append(kind: .txn, sent: 20, took: 900, difference: Difference.timedOut.rawValue)
        batch.operations[1].status = nil
        batch.operations[1].responseEnd = Operation.absent
        // A keep-alive that was answered has no status either.
        batch.append(kind: .leaseKeepAlive, sent: 30, took: 7)
        batch.operations[2].role = .message
        batch.operations[2].status = nil
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect([summary.total, summary.lost, summary.errors, summary.compared, summary.different] == [2, 1, 1, 3, 1])
        #expect(summary.statuses == [0: 2])
        #expect([summary.response.count, summary.response.max] == [2, 7])
        var shards = summary
        shards.add(summary)
        #expect([shards.total, shards.lost, shards.errors] == [4, 2, 2])
    }

    @Test("what the recording does not tell the outcome of is not compared")
    func uncompared() {
        var batch = OperationBatch()
        for difference: UInt8 in [0, 0, 3] { batch.append(kind: .range, sent: 10, took: 5, difference: difference) }
        batch.replays[0].isUncompared = true
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect([summary.total, summary.compared, summary.different] == [3, 2, 1])
    }

    @Test("what stands for other calls is counted apart, and left out of what a chain does as recorded")
    func approximated() {
        var batch = OperationBatch()
        for (took, difference, isApproximated) in [(5, 0, false), (7, 3, false), (11, 0, true), (13, 3, true)] {
            batch.append(kind: .range, sent: 10, took: Int64(took), difference: UInt8(difference))
            batch.replays[batch.replays.count - 1].isApproximated = isApproximated
        }
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect(summary.compared == 2)
        #expect(summary.differences == [3: 1])
        #expect([summary.approximated, summary.approximatedDifferent] == [2, 1])
        #expect([summary.total, Int(summary.service.max)] == [4, 13])
        var ofChain = RunSummary(name: "a.kvr")
        ofChain.add(batch, expressed: [])
        #expect([ofChain.total, Int(ofChain.service.max), ofChain.approximated] == [2, 7, 0])
        var ofEtcd = RunSummary(name: "a.kvr")
        ofEtcd.add(batch, expressed: [.asRecorded, .leftOut(.lease), .asRecorded, .leftOut(.watch)])
        #expect([ofEtcd.total, Int(ofEtcd.service.max)] == [2, 11])
    }

    @Test("events of watches are no calls")
    func events() {
        var batch = OperationBatch()
        for kind in [KeyValueRecord.Kind.putEvent, .previous, .deleteEvent] {
            var record = KeyValueRecord()
            record.kind = kind
            batch.keyValues.append(record)
        }
        batch.append(kind: .watchEvents, sent: 10, took: 0)
        batch.operations[0].role = .event
        batch.operations[0].events = Slice(start: 0, count: 3)
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect(summary.events == 2)
        #expect(summary.total == 0)
        #expect(summary.throughput == nil)
    }

    @Test("the operations of a recording are passed over")
    func recording() {
        var batch = OperationBatch()
        batch.append(kind: .range, sent: 10, took: 5)
        batch.replays.removeAll()
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect(summary.total == 0)
        #expect(!summary.isReplay)
    }

    @Test("times at the ends of what a trace can hold are clamped")
    func extremes() {
        var batch = OperationBatch()
        batch.append(kind: .range, sent: .min, intended: .max, released: .max, took: .max)
        batch.append(kind: .range, sent: .max, intended: 0, released: 0, took: .max)
        var summary = RunSummary(name: "a.kvr")
        summary.add(batch)
        #expect(summary.total == 2)
        #expect(summary.response.max >= 86_400_000_000_000)
    }
}

extension OperationBatch {
    /// An answered call of a replay; times in nanoseconds.
    mutating func append(
        kind: OperationKind, sent: Int64, intended: Int64 = 0, released: Int64 = 0, took: Int64, status: UInt32 = 0,
        difference: UInt8 = 0, loop: UInt32 = 0
    ) {
        var operation = Operation(
            time: CaptureTime(nanoseconds: sent), connection: 0, stream: 1, role: .call, kind: kind, evidence: .seen,
            method: MethodNumber(rawValue: 2))
        operation.responseEnd = took
        operation.status = status
        operations.append(operation)
        var record = ReplayRecord()
        record.intended = intended
        record.released = released
        record.difference = difference
        record.loop = loop
        replays.append(record)
    }
}
