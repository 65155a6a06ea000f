import Foundation
import TestSupport
import Testing

/// What is done to a store during a replay, and what the store answered all the same.
@Suite("kvreel replay with faults", .serialized)
struct ReplayFaultTests {
    struct Case: CustomTestStringConvertible {
        var backend: String
        var faults: [[String]]
        /// What was done, as the result says it.
        var done: [String]

        var testDescription: String { "\(backend), \(faults.joined().joined(separator: " "))" }
    }

    @Test(
        "a member that is killed and started again, or stands still, costs calls, and nothing that was acknowledged",
        arguments: [
            Case(
                backend: "etcd:3", faults: [["--at", "500ms", "kill:member=leader,for=2s"]],
                done: ["0.5 s: kill:member=leader", "2.5 s: restart:member=leader"]),
            Case(
                backend: "etcd:3",
                faults: [["--at", "500ms pause:member=leader,for=2500ms"], ["--at", "4s", "kill:member=2"]],
                done: ["0.5 s: pause:member=leader", "3.0 s: resume:member=leader", "4.0 s: kill:member=2: member 2"]),
            Case(
                backend: "netcraq:4",
                faults: [["--at", "500ms", "kill:member=1,for=2s"], ["--at", "4s", "pause:member=4,for=1s"]],
                done: ["0.5 s: kill:member=1", "2.5 s: restart:member=1", "4.0 s: pause:member=4", "5.0 s: resume"]),
            Case(
                backend: "netchain:4",
                faults: [["--at", "500ms", "kill:member=4,for=2s"], ["--at", "4s", "pause:member=2,for=1s"]],
                done: ["0.5 s: kill:member=4", "2.5 s: restart:member=4", "4.0 s: pause:member=2", "5.0 s: resume"]),
        ])
    func memberFaults(_ test: Case) throws {
        let folder = try TemporaryFolder()
        let trace = try ProgramRun.trace(of: "edgesys-table1", in: folder)
        let run = try ProgramRun.kvreel(
            ["replay", trace, "--backend", test.backend, "--preload", "--speed", "5", "--verify", "linearizable"]
                + ["--json"] + test.faults.joined())
        #expect(run.status == 0 || run.status == 1, "\(run.errors)")
        let result = try run.json
        let done = try #require(result["faults"] as? [String])
        #expect(done.count == test.done.count)
        for (line, expected) in zip(done, test.done) {
            #expect(line.hasPrefix(expected), "\(line)")
            #expect(!line.contains("not done") && !line.contains("no leader"), "\(line)")
        }
        #expect(result["interrupted"] as? Bool == false)
        if test.backend.hasPrefix("etcd") {
            // The members that were killed had watches open.
            let remarks = result["remarks"] as? String ?? ""
            #expect(remarks.contains("streams opened anew, since their connection was lost"), "\(remarks)")
        }
        #expect(try #require(result["answered"] as? Int) > 100)
        let check = try #require(result["check"] as? [String: Any])
        #expect(check["verdict"] as? String == "linearizable", "\(check)")
    }

    @Test(
        "a store that was not started for the run is left alone",
        arguments: [
            ("null", ["--at", "1s", "kill:member=1"], "faults are for stores that are started for the run"),
            ("etcd:3", ["--at", "1s", "kill:member=4"], "there is no such member: kill:member=4: it has 3"),
            ("netcraq:4", ["--at", "1s", "kill:member=5"], "there is no such member: kill:member=5: it has 4"),
            ("netcraq:4", ["--at", "1s", "kill:member=leader"], "a chain has no leader"),
            ("netcraq:4", ["--variant", "paper", "--at", "1s", "kill:member=1"], "started for the run"),
        ])
    func refused(backend: String, faults: [String], says: String) throws {
        let run = try ProgramRun.kvreel(["replay", "a.kvr", "--backend", backend] + faults)
        #expect(run.status == 2)
        #expect(run.errors.contains(says), "\(run.errors)")
    }
}
