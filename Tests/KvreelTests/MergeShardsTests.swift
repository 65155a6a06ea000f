import Etcd
import Foundation
import TestSupport
import Testing
import Trace

@Suite("kvreel merge and report on the shards of a replay")
struct MergeShardsTests {
    private let folder: TemporaryFolder
    /// A replay in one.
    private let whole: String

    init() throws {
        folder = try TemporaryFolder()
        whole = folder.path("whole.kvr")
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let run = try ProgramRun.kvreel(["replay", trace, "--backend", "null", "--max", "-o", whole])
        if run.status != 0 { throw Repository.Missing(what: "a replay (\(run.errors))") }
    }

    /// Deals the replay's operations out to four traces, call by call, as if four processes had made them. What it
    /// counted is the first one's.
    private func shards() throws -> [String] {
        let reader = try TraceReader(path: whole)
        var batches: [OperationBatch] = []
        var batch = OperationBatch()
        while try reader.next(into: &batch) { batches.append(batch) }
        return try (1...4).map { number in
            var meta = reader.meta
            meta[.shard] = "\(number)/4"
            if number > 1 { for entry in [TraceMeta.ReplayEntry.counts, .deliveries] { meta[entry] = nil } }
            let path = folder.path("shard-\(number).kvr")
            let writer = try TraceWriter(path: path, force: false, meta: meta)
            for batch in batches {
                var mine = batch
                let places = batch.operations.indices.filter { Int(batch.replays[$0].call % 4) == number - 1 }
                mine.operations = places.map { batch.operations[$0] }
                mine.replays = places.map { batch.replays[$0] }
                try writer.write(mine)
            }
            try writer.finish()
            return path
        }
    }

    private func run(_ arguments: [String]) throws -> [String: Any] {
        let report = try ProgramRun.kvreel(["report", "--json"] + arguments)
        #expect(report.status == 0, "\(report.errors)")
        return try #require((report.json["runs"] as? [[String: Any]])?.first)
    }

    @Test("merged, they are the run; and report adds them up as merge does")
    func merged() throws {
        let shards = try shards()
        let merged = folder.path("merged.kvr")
        let merge = try ProgramRun.kvreel(["merge", shards[2], shards[0], shards[3], shards[1], "-o", merged])
        #expect(merge.status == 0, "\(merge.errors)")
        let expected = try run([whole])
        for found in [try run([merged]), try run(shards)] {
            #expect(found["shard"] as? String == "1,2,3,4/4")
            for name in expected.keys where !["name", "rule", "engine"].contains(name) {
                let values = try [found, expected].map { run in
                    let value: Any = run[name] ?? NSNull()
                    return try JSONSerialization.data(withJSONObject: [value], options: .sortedKeys)
                }
                #expect(values[0] == values[1], "\(name)")
            }
        }
        #expect(try ProgramRun.kvreel(["report", merged]).output.contains("shards"))
    }

    @Test("without one of them: merged, said to be a part, and not to be trusted")
    func missing() throws {
        let shards = try shards()
        let part = folder.path("part.kvr")
        let merge = try ProgramRun.kvreel(["merge", shards[0], shards[1], shards[3], "-o", part])
        #expect(merge.status == 1)
        #expect(merge.errors.contains("without shard 3"), "\(merge.errors)")
        for traces in [[part], [shards[0], shards[3], shards[1]]] {
            let report = try ProgramRun.kvreel(["report"] + traces)
            #expect(report.status == 1)
            #expect(report.errors.contains("name shard 3, too"), "\(report.errors)")
            #expect(report.output.contains("1, 2, 4 of 4: a part of the run"))
        }
        let rest = try ProgramRun.kvreel(["merge", part, shards[2], "-o", folder.path("all.kvr")])
        #expect(rest.status == 0, "\(rest.errors)")
        #expect(try run([folder.path("all.kvr")])["answered"] as? Int == (try run([whole]))["answered"] as? Int)
    }

    @Test("one twice, and a whole run among them")
    func refused() throws {
        let shards = try shards()
        try FileManager.default.copyItem(atPath: shards[1], toPath: folder.path("copy.kvr"))
        let merged = folder.path("merged.kvr")
        for (traces, words) in [
            ([shards[0], shards[1], folder.path("copy.kvr")], "it is shard 2, and so is"),
            ([shards[0], whole], "it is a whole replay, and no shard of one"),
        ] {
            let run = try ProgramRun.kvreel(["merge"] + traces + ["-o", merged])
            #expect(run.status == 3)
            #expect(run.errors.contains(words), "\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: merged))
        }
        let report = try ProgramRun.kvreel(["report", shards[0], shards[1], folder.path("copy.kvr")])
        #expect(report.status == 3)
        #expect(report.errors.contains("it is shard 2, and so is"))
    }
}
