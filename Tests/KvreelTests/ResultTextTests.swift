import Foundation
import TestSupport
import Testing

@Suite("What info and cat print")
struct ResultTextTests {
    private let folder: TemporaryFolder
    private let trace: String

    init() throws {
        folder = try TemporaryFolder()
        trace = folder.path("a.kvr")
        let captures = ["etcdctl-mix", "ccore-mix"].map { Repository.traces.appending(path: $0 + ".pcap.zst").path }
        try #require(try ProgramRun.kvreel(["capture", "--read"] + captures + ["-o", trace]).status == 0)
    }

    @Test("info names the captures, the state before and the size in words")
    func info() throws {
        let text = try ProgramRun.kvreel(["info", trace]).output
        #expect(text.contains("  etcdctl-mix.pcap.zst, ccore-mix.pcap.zst\n"), "\(text)")
        #expect(text.contains("\nstate before  "), "\(text)")
        #expect(text.contains("shown to exist"), "\(text)")
        #expect(!text.contains("readable"), "\(text)")
        let whole = Array(try Data(contentsOf: URL(fileURLWithPath: trace)))
        let cut = try folder.write("cut.kvr", Array(whole.dropLast(10)))
        #expect(try ProgramRun.kvreel(["info", cut]).output.contains(" readable bytes in "))
    }

    @Test("an event has no latency, and a watch's start revision stands once, under its name")
    func events() throws {
        let lines = try ProgramRun.kvreel(["cat", "--json", trace]).output.split(separator: "\n")
        let objects = try lines.map { try Truth.object(Data($0.utf8)) }
        let events = objects.filter { $0["type"] as? String == "event" }
        #expect(events.count > 100)
        #expect(events.allSatisfy { $0["latency_ns"] == nil && $0["response_start_ns"] == nil })
        let watches = objects.filter { $0["kind"] as? String == "watch_create" }
        #expect(watches.contains { $0["start_revision"] as? Int == 3 })
        #expect(watches.allSatisfy { $0["at_revision"] == nil && $0["asked_revision"] == nil })
        let ranges = objects.filter { $0["kind"] as? String == "range" }
        #expect(ranges.contains { $0["at_revision"] != nil })
        #expect(ranges.allSatisfy { $0["start_revision"] == nil })

        let text = try ProgramRun.kvreel(["cat", trace]).output.split(separator: "\n")
        #expect(text.count == lines.count)
        #expect(text.filter { $0.contains(":watch_events ") }.allSatisfy { !$0.hasSuffix(" ms") })
    }

    @Test("a key with control characters or spaces stands in quotes")
    func quotes() throws {
        let text = try ProgramRun.kvreel(["cat", trace]).output
        #expect(text.contains(#"/Range /app/config/5 to "\x00" -> ok"#))
    }

    @Test("a trace without operations is shown like others", arguments: ["info", "cat", "analyze"])
    func empty(_ verb: String) throws {
        try #require(try ProgramRun.run("mkfifo", [folder.path("fifo")]).status == 0)
        let empty = folder.path("empty.kvr")
        let capture = try RunningProgram(
            Repository.tool.path, ["capture", "--read", folder.path("fifo"), "-o", empty], output: folder.path("out"),
            errors: folder.path("err"))
        while !FileManager.default.fileExists(atPath: empty) { usleep(1000) }
        capture.process.interrupt()
        try #require(try capture.wait().status == 130)
        let run = try ProgramRun.kvreel([verb, empty])
        #expect(run.status == 0, "\(run.errors)")
        #expect((run.output + run.errors).contains("coverage: no requests"), "\(run.output)\(run.errors)")
    }

    @Test("progress fits the terminal, and is left out where it cannot be drawn", arguments: ["xterm", "dumb", ""])
    func progress(_ terminal: String) throws {
        let capture = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path
        let bars = try ProgramRun.progress(
            of: ["capture", "--read", capture, "-o", folder.path("b.kvr")], columns: 20, terminal: terminal)
        if terminal == "xterm" {
            #expect(bars.map(\.count).max() == 19, "\(bars)")
        } else {
            #expect(bars.isEmpty, "\(bars)")
        }
    }
}
