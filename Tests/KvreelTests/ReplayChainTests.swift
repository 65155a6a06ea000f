import Foundation
import TestSupport
import Testing

@Suite("kvreel replay on chains", .serialized)
struct ReplayChainTests {
    @Test(
        "what has no use with a chain, or only with one, is refused before the trace is read",
        arguments: [
            (["--backend", "netcraq:0"], "1 to 9"), (["--backend", "netchain:10"], "1 to 9"),
            (["--backend", "netcraq://nowhere"], "127.0.0.1:9000"),
            (["--backend", "netcraq:4", "--cacert", "f"], "--cacert has no use with --backend netcraq:4"),
            (["--backend", "netcraq:4", "--etcd", "f"], "--etcd has no use with --backend netcraq:4"),
            (["--backend", "netchain:4", "--dial-timeout", "1s"], "--dial-timeout has no use"),
            (
                ["--backend", "netcraq:4", "--variant", "paper", "--command-timeout", "1s"],
                "--command-timeout has no use"
            ),
            (["--backend", "netcraq:4", "--variant", "paper", "--width", "128"], "16 bytes"),
            (["--backend", "netcraq:4", "--width", "17"], "16, 128 or 1024"),
            (["--backend", "netcraq:4", "--node-lease", "9ms"], "10ms to 1m"),
            (["--backend", "netcraq:4", "--node-lease", "1s", "--variant", "paper"], "--node-lease is for --variant"),
            (["--backend", "netcraq://127.0.0.1:1", "--node-lease", "1s"], "served by another process"),
            (["--backend", "etcd:1", "--node-lease", "1s"], "--node-lease is for chains"),
            (["--backend", "netchain:4", "--versions", "4"], "--versions is for netcraq only"),
            (["--backend", "null", "--width", "16"], "--width is for chains"),
            (["--backend", "etcd:1", "--unsupported", "fail"], "--unsupported is for chains"),
            (["--backend", "netcraq:1", "--unsupported", "guess"], "approximate"),
            (["--backend", "etcd:1", "--variant", "paper"], "--variant is for chains"),
        ])
    func usage(_ arguments: [String], _ words: String) throws {
        let run = try ProgramRun.kvreel(["replay", "/nonexistent.kvr"] + arguments)
        #expect(run.status == 2, "\(run.errors)")
        #expect(run.errors.contains(words), "\(run.errors)")
    }

    @Test(
        "what a chain does of a recording has the recorded outcome, and is linearizable",
        arguments: ["edgesys-table1", "netcraq-scale", "netcraq-uncached", "midstream"], ["netcraq:4", "netchain:4"])
    func recordings(_ name: String, _ backend: String) throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: name, in: folder)
        let run = try ProgramRun.kvreel([
            "replay", trace, "--backend", backend, "--preload", "--speed", "20", "--unsupported", "approximate",
            "--verify", "linearizable", "--node-lease", "10s", "--json",
        ])
        // On a busy machine the timetable may not be kept; outcomes do not depend on that.
        #expect(run.status == 0 || run.status == 1, "\(run.errors)")
        let result = try run.json
        let compared = try #require(result["compared"] as? Int)
        #expect(result["different"] as? Int == 0, "of \(compared): \(result["remarks"] ?? "")")
        #expect(compared > 200)
        let check = try #require(result["check"] as? [String: Any])
        #expect(check["verdict"] as? String == "linearizable", "\(check)")
    }

    @Test("many writers of few keys: the published NetCRAQ is caught, the default variants are not")
    func writers() throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("hot.kvr")
        let made = try ProgramRun.kvreel([
            "generate", "--operations", "20k", "--keys", "4", "--mix", "put=50,range=50", "--clients", "32",
            "--value-bytes", "16", "-o", trace, "--quiet",
        ])
        try #require(made.status == 0, "\(made.errors)")
        for (options, verdict) in [
            (["--backend", "netcraq:4", "--variant", "paper"], "violation"),
            (["--backend", "netcraq:4", "--node-lease", "10s"], "linearizable"),
            (["--backend", "netchain:4", "--node-lease", "10s"], "linearizable"),
        ] {
            let run = try ProgramRun.kvreel(
                ["replay", trace, "--closed", "64", "--order", "none", "--verify", "linearizable", "--json"] + options)
            let check = try #require(try run.json["check"] as? [String: Any])
            #expect(check["verdict"] as? String == verdict, "\(options)")
            #expect(run.status == (verdict == "violation" ? 1 : 0), "\(run.errors)")
        }
    }
}
