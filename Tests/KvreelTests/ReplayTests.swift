import Foundation
import TestSupport
import Testing

@Suite("kvreel replay and report")
struct ReplayTests {
    /// A trace made of a recording of the repository.
    @Test("null takes every call, and the trace of it is a replay that report, info and analyze read")
    func null() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let run = try ProgramRun.kvreel([
            "replay", trace, "--backend", "null", "--max", "-o", folder.path("null.kvr"), "--json",
        ])
        #expect(run.status == 0, "\(run.errors)")
        let result = try run.json
        #expect(result["schema"] as? String == "kvreel.replay/1")
        #expect(result["verdict"] as? String == "capacity")
        // 1233 calls, of which 59 are watches; those are replayed by their 59 creations and 88 progress requests.
        #expect(result["answered"] as? Int == 1_233 - 59 + 147)
        #expect(result["not_replayed"] as? Int == 0)

        try FileManager.default.copyItem(atPath: folder.path("null.kvr"), toPath: folder.path("again.kvr"))
        let report = try ProgramRun.kvreel(["report", folder.path("null.kvr"), folder.path("again.kvr")])
        #expect(report.status == 0, "\(report.errors)")
        #expect(report.output.contains("null, 2 runs"))
        for words in ["Response time", "Send lag", "capacity", "null", "as recorded"] {
            #expect(report.output.contains(words))
        }
        let markdown = try ProgramRun.kvreel(["report", "--format", "md", folder.path("null.kvr")])
        #expect(markdown.output.hasPrefix("# Replays\n"))
        let compared = try ProgramRun.kvreel(["report", "--json", folder.path("null.kvr")]).json
        #expect(compared["schema"] as? String == "kvreel.report/1")
        let measured = try #require((compared["runs"] as? [[String: Any]])?.first)
        // Both documents say the same of the run, by the same names.
        for name in result.keys where name != "schema" && name != "fidelity" {
            let values = try [measured, result].map { run in
                let value: Any = run[name] ?? NSNull()
                return try JSONSerialization.data(withJSONObject: [value], options: .sortedKeys)
            }
            #expect(values[0] == values[1], "\(name)")
        }
        #expect(try ProgramRun.kvreel(["info", folder.path("null.kvr")]).output.contains("replay of"))
        let analysis = try ProgramRun.kvreel(["analyze", "--json", folder.path("null.kvr")])
        #expect(analysis.status == 0)
        let range = try #require(try analysis.json["range"] as? [String: Any])
        #expect(range["requests"] as? Int == 613)
    }

    @Test(
        "a warm-up is in no time, of the replay and of a report of its trace",
        arguments: [(["--closed", "5"], "200", 200), (["--rate", "1k", "--duration", "500ms"], "300ms", 300)])
    func warmUp(_ schedule: [String], _ length: String, _ count: Int) throws {
        let folder = try TemporaryFolder()
        let (trace, output) = (folder.path("a.kvr"), folder.path("b.kvr"))
        #expect(try ProgramRun.kvreel(["generate", "-n", "600", "-o", trace, "--quiet"]).status == 0)
        let run = try ProgramRun.kvreel(
            ["replay", trace, "--backend", "null", "--order", "none", "--warm-up", length, "-o", output, "--json"]
                + schedule)
        let report = try ProgramRun.kvreel(["report", "--json", output])
        let reported = try #require((report.json["runs"] as? [[String: Any]])?.first)
        for result in [try run.json, reported] {
            let answered = try #require(result["answered"] as? Int)
            #expect(answered == (schedule.contains("--closed") ? 600 : 500))
            #expect(result["warm_up"] as? Int == count && result["compared"] as? Int == answered)
            let times = try #require(result["response_time"] as? [String: Int])
            #expect(times["count"] == answered - count)
            #expect(times["p10_ns"] ?? .max <= times["p50_ns"] ?? 0 && times["mean_ns"] ?? .max <= times["max_ns"] ?? 0)
            let seconds = Double(try #require(result["duration_ns"] as? Int)) / 1e9
            let rate = try #require(result["per_second"] as? Double)
            #expect(abs(rate * seconds - Double(answered - count)) < 0.01)
        }
        let words = schedule.contains("--closed") ? ", warm-up 200 calls" : ", warm-up 0.300 s"
        #expect((reported["schedule"] as? String)?.hasSuffix(words) == true)
        let lines = try ProgramRun.kvreel(["cat", "--json", output]).output.split(separator: "\n")
        #expect(lines.count { $0.contains("\"warm_up\":true") } == count, "\(lines.first ?? "")")
    }

    @Test("a warm-up of no length is refused", arguments: ["0", "-1", "1.5", "2d", "0s", "many"])
    func noWarmUp(_ length: String) throws {
        let run = try ProgramRun.kvreel(["replay", "a.kvr", "--backend", "null", "--warm-up=\(length)"])
        #expect(run.status == 2, "\(run.errors)")
    }

    @Test("at ten times the speed the timetable is kept to, or the verdict says what was not")
    func speed() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let run = try ProgramRun.kvreel(["replay", trace, "--backend", "null", "--speed", "10", "--json"])
        let result = try run.json
        let verdict = try #require(result["verdict"] as? String)
        #expect(run.status == (verdict == "valid" ? 0 : 1))
        // The recording's calls begin over 34.7 s.
        let duration = try #require(result["duration_ns"] as? Int)
        #expect(duration >= 3_400_000_000)
        let lag = try #require((result["send_lag"] as? [String: Any])?["p99_ns"] as? Int)
        if verdict == "valid" { #expect(lag <= 2_700_000) }
    }

    @Test("parts of a recording: an offset, a duration, two loops")
    func parts() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "etcdctl-mix", in: folder)
        func answered(_ options: [String]) throws -> Int {
            let run = try ProgramRun.kvreel(["replay", trace, "--backend", "null", "--json"] + options)
            return try #require(try run.json["answered"] as? Int, "\(run.errors)")
        }
        let whole = try answered(["--max"])
        let late = try answered(["--max", "--offset", "2s"])
        #expect(late > 0 && late < whole)
        #expect(try answered(["--max", "--loop", "2"]) > whole)
        let short = try answered(["--rate", "100", "--duration", "500ms"])
        #expect(short > 0 && short <= 51)
    }

    @Test(
        "what is wrong is said, and nothing is left behind",
        arguments: [
            (["--backend", "etcd:0"], Int32(2), "a local etcd has 1 to 9 members: etcd:0"),
            (["--backend", "mongo"], 2, "no such store: mongo"),
            (["--backend", "etcd://"], 2, "it is not HOST:PORT"),
            (["--backend", "null", "--cacert", "x"], 2, "--cacert has no use with --backend null"),
            (["--backend", "null", "--max", "--rate", "5"], 2, "exclude each other"),
            (["--backend", "null", "--poisson"], 2, "--poisson is for --rate"),
            (["--backend", "null", "--rate", "0"], 2, "a rate is such as"),
            (["--backend", "null", "--speed", "fast"], 2, "a speed is such as"),
            (["--backend", "etcd:1", "--etcd", "/nowhere/etcd"], 4, "there is no such program"),
            ([], 2, "name the store with --backend"),
        ])
    func mistakes(_ arguments: [String], status: Int32, says: String) throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "etcdctl-mix", in: folder)
        let run = try ProgramRun.kvreel(["replay", trace, "-o", folder.path("run.kvr")] + arguments)
        #expect(run.status == status, "\(run.errors)")
        #expect(run.errors.hasPrefix("kvreel: "))
        #expect(run.errors.contains(says), "\(run.errors)")
        #expect(run.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.path("run.kvr")))
    }

    @Test("inputs that are no traces, and a trace that is to be replaced by itself")
    func inputs() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "etcdctl-mix", in: folder)
        let missing = try ProgramRun.kvreel(["replay", folder.path("none.kvr"), "--backend", "null"])
        #expect(missing.status == 3)
        let capture = Repository.traces.appending(path: "etcdctl-mix.pcap.zst").path
        #expect(try ProgramRun.kvreel(["replay", capture, "--backend", "null"]).status == 3)
        let itself = try ProgramRun.kvreel(["replay", trace, "--backend", "null", "--max", "-o", trace, "--force"])
        #expect(itself.status == 4, "\(itself.errors)")
        #expect(try ProgramRun.kvreel(["replay", "-", "--backend", "null"]).status == 2)
        let recording = try ProgramRun.kvreel(["report", trace])
        #expect(recording.status == 3)
        #expect(recording.errors.contains("it is a recording, not a replay"))
    }

    @Test("a full disk ends the run, and says so below the part until then")
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let run = try ProgramRun.kvreel(["replay", trace, "--backend", "null", "--max", "-o", "/dev/full"])
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains("No space left on device"))
        #expect(run.output.contains("interrupted: this is the part until then"), "\(run.output)")
    }

    @Test("what of a replay fitted on the disk is a trace")
    func partlyWritten() throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("a.kvr")
        #expect(try ProgramRun.kvreel(["generate", "-n", "300k", "-o", trace, "--quiet"]).status == 0)
        let run = try ProgramRun.run(
            "bash",
            [
                "-c", "ulimit -f 1000; \"$1\" replay \"$2\" --backend null --max --quiet --json -o \"$3\"", "bash",
                Repository.tool.path, trace, folder.path("b.kvr"),
            ])
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains("File too large"), "\(run.errors)")
        #expect(try run.json["interrupted"] as? Bool == true)
        let report = try ProgramRun.kvreel(["report", "--json", folder.path("b.kvr")])
        let part = try #require((try report.json["runs"] as? [[String: Any]])?.first)
        #expect((1..<300_000).contains(try #require(part["answered"] as? Int)))
        #expect(part["verdict"] is NSNull)
    }

    @Test("progress says how much is done, how fast, how late, with how many errors, and how long it will take")
    func progress() throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("a.kvr")
        #expect(try ProgramRun.kvreel(["generate", "-n", "1k", "-o", trace, "--quiet"]).status == 0)
        let bars = try ProgramRun.progress(
            of: ["replay", trace, "--backend", "null", "--rate", "500", "--order", "none"], columns: 160)
        #expect(bars.count > 5)
        for bar in bars {
            let form = /\[#*\.*\] [0-9]+ %  [0-9 ]+ calls, [0-9 ]+\/s, lag p99 .*, 0 errors(, .* left)?/
            #expect(bar.wholeMatch(of: form) != nil, "\(bar)")
        }
        #expect(bars.contains { $0.hasSuffix(" s left") }, "\(bars)")
    }

    @Test("Ctrl-C ends with the part until then, a valid trace")
    func interrupted() throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let running = try RunningProgram(
            Repository.tool.path, ["replay", trace, "--backend", "null", "-o", folder.path("run.kvr"), "--json"],
            output: folder.path("out"), errors: folder.path("err"))
        // The recording takes 34.7 s: whenever the signal comes behind the start of the run, it is in the middle.
        try running.waitForErrors(containing: "Ctrl-C ends")
        running.process.interrupt()
        let run = try running.wait(folder)
        #expect(run.status == 130, "\(run.errors)")
        let info = try ProgramRun.kvreel(["info", folder.path("run.kvr")])
        #expect(info.status == 0, "\(info.errors)")
        #expect(try run.json["interrupted"] as? Bool == true)
    }
}
