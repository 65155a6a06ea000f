import TestSupport
import Testing

@Suite("kvreel replay on chains")
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
}
