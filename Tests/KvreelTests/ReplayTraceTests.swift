import Etcd
import Foundation
import TestSupport
import Testing
import Trace
import Wire

@Suite("What info and cat say of a replay")
struct ReplayTraceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Three calls and an event batch; the third call is of the plan's second run.
    private var batch: OperationBatch {
        var batch = OperationBatch()
        add(.put, intended: 4_000, released: 4_000, call: 1, loop: 0, difference: 0, to: &batch)
        add(.range, intended: 2_000_000, released: 3_000, call: 0, loop: 0, difference: 2, to: &batch)
        add(.watchEvents, intended: 0, released: 0, call: 0, loop: 0, difference: 0, to: &batch)
        add(.range, intended: 5_000, released: 1_000, call: 0, loop: 1, difference: 8, to: &batch)
        return batch
    }

    private func add(
        _ kind: OperationKind, intended: Int64, released: Int64, call: UInt32, loop: UInt32, difference: UInt8,
        to batch: inout OperationBatch
    ) {
        var operation = Etcd.Operation(
            time: CaptureTime(nanoseconds: 1_795_223_434_000_000_000), connection: 0, stream: 1,
            role: kind == .watchEvents ? .event : .call, kind: kind, evidence: .seen, method: MethodNumber(rawValue: 2))
        operation.responseEnd = 250_000
        batch.operations.append(operation)
        var record = ReplayRecord()
        record.intended = intended
        record.released = released
        record.call = call
        record.loop = loop
        record.difference = difference
        batch.replays.append(record)
    }

    private func write(_ name: String, _ entries: [TraceMeta.ReplayEntry: String]) throws -> String {
        var meta = TraceMeta()
        meta.tool = "kvreel test"
        for entry in TraceMeta.ReplayEntry.allCases { meta[entry] = entries[entry] }
        let writer = try TraceWriter(path: folder.path(name), force: false, meta: meta)
        try writer.write(batch)
        try writer.finish()
        return folder.path(name)
    }

    private func objects(_ lines: String) throws -> [[String: Any]] {
        try lines.split(separator: "\n").map { try Truth.object(Data($0.utf8)) }
    }

    @Test("info says what was replayed on what, how many outcomes differ, and the verdict with its rule")
    func info() throws {
        let trace = try write(
            "a.kvr",
            [
                .traces: "monday.kvr\ntuesday.kvr", .backend: "etcd:3", .schedule: "recorded, speed 1",
                .order: "causal",
                .verdict: "invalid", .rule: "send lag p99 is 2.1 ms, above 1 ms", .remarks: "one\ntwo",
            ])
        let text = try ProgramRun.kvreel(["info", trace]).output
        for line in [
            "replay of     monday.kvr, tuesday.kvr", "on            etcd:3", "schedule      recorded, speed 1",
            "order         causal", "outcomes      1 of 2 differ from the recorded ones",
            "remarks       one, two", "verdict       invalid: send lag p99 is 2.1 ms, above 1 ms",
        ] {
            #expect(text.contains(line + "\n"), "\(text)")
        }
        #expect(!text.contains("replay."), "\(text)")
        let json = try Truth.object(Data(try ProgramRun.kvreel(["info", "--json", trace]).output.utf8))
        let replay = try #require(json["replay"] as? [String: Any])
        #expect(replay["of"] as? [String] == ["monday.kvr", "tuesday.kvr"])
        #expect(replay["backend"] as? String == "etcd:3" && replay["verdict"] as? String == "invalid")
        #expect(replay["calls"] as? Int == 2 && replay["different"] as? Int == 1)
        #expect((json["recording"] as? [String: String]) == ["tool": "kvreel test"])
    }

    @Test("a replay that was broken off has no verdict, and is known by its records")
    func brokenOff() throws {
        let text = try ProgramRun.kvreel(["info", try write("a.kvr", [:])]).output
        #expect(text.contains("verdict       none: the replay did not come to its end\n"), "\(text)")
        let kept = Repository.traces.appending(path: "format-1/etcdctl-mix.kvr").path
        #expect(try !ProgramRun.kvreel(["info", kept]).output.contains("replay"))
        #expect(try !ProgramRun.kvreel(["info", "--json", kept]).output.contains("replay"))
        #expect(try !ProgramRun.kvreel(["cat", "--json", kept]).output.contains("intended_ns"))
    }

    @Test("cat tells each call's times and difference, and so does the reader made from the format's page")
    func cat() throws {
        let trace = try write("a.kvr", [:])
        let reader = Repository.root.appending(path: "analysis/read_kvr.py").path
        let expected: [[String: String]] = [
            ["call_number": "1", "intended_ns": "4000", "released_ns": "4000"],
            ["call_number": "0", "intended_ns": "2000000", "released_ns": "3000", "difference": "succeeded"], [:],
            ["call_number": "0", "loop": "1", "intended_ns": "5000", "released_ns": "1000", "difference": "timed_out"],
        ]
        let runs = [
            try ProgramRun.kvreel(["cat", "--json", trace]), try ProgramRun.run("python3", [reader, trace]),
        ]
        for run in runs {
            #expect(run.status == 0, "\(run.errors)")
            let names = ["call_number", "loop", "intended_ns", "released_ns", "difference"]
            let found = try objects(run.output).map { line in
                Dictionary(uniqueKeysWithValues: names.compactMap { name in line[name].map { (name, "\($0)") } })
            }
            #expect(found == expected, "\(run.output)")
        }
    }
}
