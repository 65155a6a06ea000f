import Foundation
import TestSupport
import Testing

@Suite("A chain is served")
struct ServeTests {
    /// Runs the shell over `lines`; versions are left out of what it printed, since a busy machine may see a node
    /// suspected and a new epoch.
    private func shell(_ chain: String, _ lines: [String], _ options: [String] = ["--quiet"]) throws -> ProgramRun {
        let folder = try TemporaryFolder()
        let input = folder.path("lines")
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: input))
        var run = try ProgramRun.kvreel(["serve", chain, "--shell"] + options, input: input)
        run.output.replace(/(version|version is) [0-9]+\.[0-9]+/, with: { "\($0.1)" })
        return run
    }

    @Test("the shell reads, writes, compares and deletes", arguments: ["netcraq:4", "netchain:3", "netcraq:1"])
    func requests(_ chain: String) throws {
        let run = try shell(
            chain,
            [
                "# a comment", "", "get a", "put a two words", "get a", "cas a - other", "cas b - new", "get b",
                "cas b 9.9 other", "delete a", "get a", "delete c",
            ])
        #expect(
            run.output.split(separator: "\n") == [
                "absent", "ok, version", "two words, version", "refused: the version is", "ok, version",
                "new, version", "refused: the version is", "ok, version", "absent", "absent",
            ])
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    }

    @Test("a node that ends is left out, comes back, and nothing written is lost")
    func failOver() throws {
        let run = try shell(
            "netcraq:3",
            ["put a kept", "kill 1", "get a", "put a later", "start 1", "get a", "kill 2", "kill 3", "quit"])
        #expect(
            run.output.split(separator: "\n") == [
                "ok, version", "node 1 ended", "kept, version", "ok, version", "node 1 started", "later, version",
                "node 2 ended", "node 3 ended",
            ])
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test("a node's lease is as long as asked: without it nobody answers in its place before that")
    func nodeLease() throws {
        let run = try shell("netcraq:3", ["put a kept", "kill 1", "get a"], ["--node-lease", "400ms"])
        #expect(run.output.contains("kept, version\n") && run.status == 0, "\(run.output) \(run.errors)")
        let pauses = run.errors.matches(of: /epoch 2 active .* paused_ns ([0-9]+)/).compactMap { Int($0.1) }
        // The lease, the drift of the clocks and the margin, less the silence at which the node were suspected anyway.
        #expect(pauses.count == 1 && pauses[0] >= 400_000_000 + 400_000 + 5_000_000 - 320_000_000, "\(run.errors)")
    }

    @Test("a line that cannot be done is said, the others are done, and the status is 1")
    func complaints() throws {
        let run = try shell(
            "netcraq:2",
            ["frob", "get", "put a", "cas a 1 x", "kill 3", "start 1", "put a 12345678901234567", "put a fits"])
        #expect(run.output == "ok, version\n")
        let said = [
            "no such command: frob: help lists them", "usage: get KEY", "usage: put KEY VALUE",
            "a version is such as 1.3, as get and put show it, or - for no value: 1", "nodes are 1 to 2",
            "node 1 runs", "the value has 17 bytes, the key room for 16 (--value-bytes)",
        ]
        let errors = run.errors.split(separator: "\n").filter { $0.hasPrefix("kvreel: ") }
        #expect(errors.map { String($0.dropFirst("kvreel: ".count)) } == said)
        #expect(run.status == 1)
    }

    @Test(
        "the published variants are read and written, and go on without a node",
        arguments: [("netcraq:3", ["--reset", "0"]), ("netchain:3", ["--sequence", "16", "--rule", "serial"])])
    func published(_ chain: String, _ options: [String]) throws {
        let lines = [
            "get 5", "put 5 two words", "get 5", "get@3 5", "kill 1", "get 5", "put 6 later", "start 1", "get 6",
            "put 5 last", "kill 3", "get 5", "delete 5", "get 5",
        ]
        let run = try shell(chain, lines, ["--variant", "paper", "--quiet", "--keys", "6"] + options)
        #expect(
            run.output.split(separator: "\n") == [
                "absent", "ok", "two words", "two words", "node 1 ended", "two words", "ok", "node 1 started", "later",
                "ok", "node 3 ended", "last", "ok", "absent",
            ])
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    }

    @Test("what the published packets cannot say is refused")
    func publishedComplaints() throws {
        let lines = [
            "cas 1 - x", "put name x", "get 7", "get@3 1", "put 1 12345678901234567", "kill 1", "kill 2", "start 1",
            "get 1",
        ]
        let run = try shell("netcraq:2", lines, ["--variant", "paper", "--quiet", "--keys", "6"])
        let said = [
            "the published packets have no compare-and-set", "keys are the numbers 1 to 6: name",
            "keys are the numbers 1 to 6: 7", "nodes are 1 to 2", "the value has 17 bytes, the packets 16",
            "no node is left that has what the chain held: quit, and serve it again",
            "no answer: what became of it is not known",
        ]
        let errors = run.errors.split(separator: "\n").filter { $0.hasPrefix("kvreel: ") }
        #expect(errors.map { String($0.dropFirst("kvreel: ".count)) } == said)
        #expect(run.status == 1)
    }

    @Test(
        "it says where it listens and what the controller does, and ends cleanly with a signal",
        arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) throws {
        let folder = try TemporaryFolder()
        let running = try RunningProgram(
            Repository.tool.path, ["serve", "netchain:2", "--key", "config", "--value-bytes", "128"],
            output: folder.path("out"), errors: folder.path("err"))
        try running.waitForErrors(containing: "key 1 placed in group 0")
        kill(running.process.processIdentifier, signal)
        let run = try running.wait(folder)
        #expect(run.status == 130 && run.signal == nil)
        let listening = /node 2: requests 127\.[0-9]+\.[0-9]+\.11:8888, frames 127\.[0-9]+\.[0-9]+\.11:8890/
        #expect(run.errors.contains(listening))
        #expect(run.errors.contains(/active chain 127\.[0-9]+\.[0-9]+\.10,127\.[0-9]+\.[0-9]+\.11/))
        #expect(run.output.contains("packets in"))
    }

    @Test("another process asks for statistics, and drives the chain", arguments: [[], ["--processes"]])
    func control(_ options: [String]) throws {
        let folder = try TemporaryFolder()
        let serving = try RunningProgram(
            Repository.tool.path, ["serve", "netcraq:2", "--key", "a"] + options, output: folder.path("out"),
            errors: folder.path("err"))
        try serving.waitForErrors(containing: "key 1 placed")
        try serving.waitForErrors(containing: "control 127.0.0.1:")
        let said = try String(contentsOfFile: folder.path("err"), encoding: .utf8)
        let control = try #require(said.firstMatch(of: /control (127\.0\.0\.1:[0-9]+)\n/)).1
        let input = folder.path("lines")
        try Data("put a first\nput b second\nget a\nkill 1\n".utf8).write(to: URL(fileURLWithPath: input))
        var driven = try ProgramRun.kvreel(["serve", "--connect", String(control), "--shell"], input: input)
        driven.output.replace(/version [0-9]+\.[0-9]+/, with: "version")
        #expect(driven.output == "ok, version\nok, version\nfirst, version\n")
        #expect(driven.errors == "kvreel: nodes are ended and started where the chain is served\n")
        #expect(driven.status == 1)
        let asked = try ProgramRun.kvreel(["serve", "--connect", String(control)])
        #expect(asked.status == 0 && asked.output.contains("reads clean"), "\(asked.errors)")
        kill(serving.process.processIdentifier, SIGTERM)
        let run = try serving.wait(folder)
        #expect(run.status == 130 && run.output.hasPrefix("node "))
        #expect(run.output.contains(/\nwrites +2 +2\n/), "\(run.output)")
        let gone = try ProgramRun.kvreel(["serve", "--connect", String(control)])
        #expect(gone.status == 4 && gone.errors.hasPrefix("kvreel: cannot reach the chain: connect to "))
    }

    @Test("the processes of nodes end with the one that started them, however it ends")
    func orphans() throws {
        let folder = try TemporaryFolder()
        let serving = try RunningProgram(
            Repository.tool.path, ["serve", "netchain:3", "--processes"], output: folder.path("out"),
            errors: folder.path("err"))
        try serving.waitForErrors(containing: "active chain")
        let said = try String(contentsOfFile: folder.path("err"), encoding: .utf8)
        let nodes = said.matches(of: /node [1-3] is process ([0-9]+)\n/).compactMap { Int32($0.1) }
        #expect(nodes.count == 3)
        kill(serving.process.processIdentifier, SIGKILL)
        let run = try serving.wait(folder)
        #expect(run.signal == SIGKILL)
        // Somebody else reaps them, and until then they can be signalled.
        for node in nodes { while isAlive(node) { usleep(1000) } }
    }

    private func isAlive(_ process: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return !text.contains(") Z ")
    }

    @Test(
        "what makes no chain is wrong usage",
        arguments: [
            (["netcraq"], "a chain is netcraq:N or netchain:N, with N nodes, 1 to 9"),
            (["netcraq:0"], "a chain is netcraq:N or netchain:N, with N nodes, 1 to 9"),
            (["netcraq:10"], "a chain is netcraq:N or netchain:N, with N nodes, 1 to 9"),
            (["etcd:3"], "a chain is netcraq:N or netchain:N, with N nodes, 1 to 9"),
            (["netchain:3", "--versions", "4"], "--versions is for netcraq"),
            (["netcraq:3", "--reset", "0"], "--reset is for netcraq with --variant paper only"),
            (["netcraq:3", "--rule", "serial"], "--rule is for netchain with --variant paper only"),
            (["netcraq:3", "--keys", "5"], "--keys is for --variant paper"),
            (["netcraq:3", "--variant", "paper", "--keys", "4097"], "a switch has registers for 1 to 4096 keys"),
            (["netcraq:3", "--variant", "paper", "--key", "a"], "--key is for --variant default"),
            (["netcraq:3", "--variant", "paper", "--value-bytes", "16"], "--value-bytes is for --variant default"),
            (["netcraq:3", "--versions", "17"], "a key has 2 to 16 versions"),
            (["netcraq:3", "--node-lease", "61s"], "a lease is of 10ms to 1m, in whole milliseconds"),
            (["netcraq:3", "--node-lease", "10.5ms"], "a lease is of 10ms to 1m, in whole milliseconds"),
            (["netcraq:3", "--node-lease", "1s", "--variant", "paper"], "--node-lease is for --variant default"),
            (["netcraq:3", "--value-bytes", "64"], "room for values is 16, 128 or 1024 bytes"),
            (["netcraq:3", "--rate", "0"], "a limit is 1 to 1000000000 packets a second"),
            (["netcraq:3", "--clients-network", "127.0.0.1/8"], "a network is such as 127.0.0.0/8"),
            (["netcraq:3", "--clients-network", "127.0.0/8"], "a network is such as 127.0.0.0/8"),
            (["netcraq:3", "--shell", "--clients-network", "127.0.1.0/24"], "the shell is a client at 127.0.0.1"),
            (["netcraq:3", "--key", "a", "--key", "a"], "a key is given twice"),
            (["netcraq:3", "--control", "127.0.0.1"], "an address and a port are such as 127.0.0.1:9000"),
            (["netcraq:3", "--control", "localhost:9000"], "an address and a port are such as 127.0.0.1:9000"),
            (["netcraq:3", "--connect", "127.0.0.1:9000"], "--connect talks to a chain that is there"),
            (["--connect", "127.0.0.1:9000", "--processes"], "--processes is for who serves the chain"),
            (["--connect", "127.0.0.1:9000", "--node-lease", "1s"], "--node-lease is for who serves the chain"),
            (["--connect", "127.0.0.1:9000", "--key", "a"], "--key is for who serves the chain"),
            (["--shell"], "a chain is netcraq:N or netchain:N, with N nodes, 1 to 9"),
        ])
    func usage(_ arguments: [String], _ says: String) throws {
        let run = try ProgramRun.kvreel(["serve"] + arguments)
        #expect(run.status == 2)
        #expect(run.errors.hasPrefix("kvreel: ") && run.errors.contains(says), "\(run.errors)")
        #expect(run.output.isEmpty)
    }
}
