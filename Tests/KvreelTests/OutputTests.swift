import Foundation
import TestSupport
import Testing

@Suite("Outputs: what is read stays as it is, and what is written is whole")
struct OutputTests {
    private static let smallCapture = Repository.traces.appending(path: "etcdctl-mix.pcap.zst").path
    private static let otherCapture = Repository.traces.appending(path: "midstream.pcap.zst").path

    /// Runs a script with the tool's path in `$1` and the folder in `$2`.
    private func bash(_ script: String, in folder: TemporaryFolder) throws -> ProgramRun {
        try ProgramRun.run("bash", ["-c", script, "bash", Repository.tool.path, folder.url.path])
    }

    private func copyOfSmallCapture(in folder: TemporaryFolder) throws -> [UInt8] {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: Self.smallCapture)))
        _ = try folder.write("in.pcap", bytes)
        return bytes
    }

    @Test(
        "the capture that is read is never written to, whatever its name",
        arguments: [
            "\"$1\" capture --read in.pcap -o in.pcap --force", "\"$1\" capture --read in.pcap -o in.pcap",
            "ln -s in.pcap a.kvr; \"$1\" capture --read in.pcap -o a.kvr --force",
            "ln in.pcap a.kvr; \"$1\" capture --read in.pcap -o a.kvr --force",
            "\"$1\" capture --read - -o in.pcap --force < in.pcap",
            "\"$1\" capture --read \(otherCapture) in.pcap -o in.pcap --force",
            "\"$1\" capture --read in.pcap -o - >> in.pcap",
        ])
    func input(_ command: String) throws {
        let folder = try TemporaryFolder()
        let bytes = try copyOfSmallCapture(in: folder)
        let run = try bash("cd \"$2\"; " + command, in: folder)
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains("it is the capture that is read\n"), "\(run.errors)")
        #expect(run.errors.hasPrefix("kvreel: cannot write the trace: "), "\(run.errors)")
        #expect(Array(try Data(contentsOf: folder.url.appending(path: "in.pcap"))) == bytes)
    }

    @Test(
        "a closed standard descriptor is no place for the trace",
        arguments: [("2>&-", 0), (">&-", 0), ("<&-", 0), ("<&- >&- 2>&-", 0)] as [(String, Int32)])
    func closedDescriptors(_ closed: String, _ status: Int32) throws {
        let folder = try TemporaryFolder()
        let script = "\"$1\" capture --read \(Self.smallCapture) -o \"$2/a.kvr\" \(closed)"
        #expect(try bash(script, in: folder).status == status)
        let cat = try ProgramRun.kvreel(["cat", "--json", folder.path("a.kvr")])
        #expect(cat.status == 0, "\(cat.errors)")
        #expect(!cat.errors.contains("damaged") && !cat.output.isEmpty)
    }

    @Test(
        "results for a closed standard output fail, and input from a closed standard input too",
        arguments: [
            ("info $2/a.kvr >&-", 4), ("cat $2/a.kvr >&-", 4), ("capture --read \(smallCapture) -o - >&-", 4),
            ("capture --read - -o $2/b.kvr <&-", 3), ("info - <&-", 3), ("--help >&-", 4), ("--version >&-", 4),
            ("--help >/dev/full", 4), ("capture --help > /dev/full", 4), ("--version | true", 0),
        ] as [(String, Int32)])
    func closedUse(_ command: String, _ status: Int32) throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("a.kvr")
        try #require(try ProgramRun.kvreel(["capture", "--read", Self.smallCapture, "-o", trace]).status == 0)
        let run = try bash("\"$1\" \(command); exit ${PIPESTATUS[0]}", in: folder)
        #expect(run.status == status, "\(run.errors)")
        #expect(status == 0 || run.errors.hasPrefix("kvreel: cannot "), "\(run.errors)")
    }

    @Test("two runs do not write one trace")
    func locked() throws {
        let folder = try TemporaryFolder()
        let arguments = ["capture", "--read", Self.smallCapture, "-o", folder.path("a.kvr"), "--force"]
        try #require(try ProgramRun.kvreel(arguments).status == 0)
        let before = try Data(contentsOf: folder.url.appending(path: "a.kvr"))
        let run = try bash(
            "exec 9< \"$2/a.kvr\"; flock 9; \"$1\" capture --read \(Self.smallCapture) -o \"$2/a.kvr\" --force 9<&-",
            in: folder)
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains("another process is writing it"), "\(run.errors)")
        #expect(try Data(contentsOf: folder.url.appending(path: "a.kvr")) == before)
    }

    @Test("a file that another user lets everybody write is replaced", .enabled(if: getuid() == 0))
    func otherOwner() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.url.path)
        _ = try copyOfSmallCapture(in: folder)
        let run = try bash(
            """
            cd "$2"; cp "$1" kvreel; chmod 755 kvreel; chmod 644 in.pcap; echo old > a.kvr; chmod 666 a.kvr
            setpriv --reuid 65534 --clear-groups ./kvreel capture --read in.pcap -o a.kvr --force
            """, in: folder)
        #expect(run.status == 0, "\(run.errors)")
        #expect(try ProgramRun.kvreel(["info", folder.path("a.kvr")]).status == 0)
    }

    @Test("a block that does not fit is taken back, and what fitted is a trace", .enabled(if: Repository.hasCaptures))
    func partlyWritten() throws {
        let folder = try TemporaryFolder()
        let capture = try Repository.capture("large/capture.pcap.zst").path
        let captures = Array(repeating: "'\(capture)'", count: 5).joined(separator: " ")
        let run = try bash("ulimit -f 1000; \"$1\" capture --read \(captures) -o \"$2/a.kvr\"", in: folder)
        #expect(run.status == 4, "\(run.errors)")
        let info = try ProgramRun.kvreel(["info", folder.path("a.kvr")])
        #expect(info.status == 0, "\(info.errors)")
        // Nothing of the block that did not fit: the warning would count its bytes.
        #expect(info.errors.contains("is cut short") && !info.errors.contains("at its end"), "\(info.errors)")
        #expect(!info.output.contains("operations    0"), "\(info.output)")
    }

    @Test("a limit of the size of files is an error of the output, and nothing is left where nothing fitted")
    func sizeLimit() throws {
        let folder = try TemporaryFolder()
        let capture = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path
        let run = try bash("ulimit -f 1; \"$1\" capture --read \(capture) -o \"$2/a.kvr\"", in: folder)
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.contains("File too large"), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("a.kvr")))
    }

    @Test("a standard output that is set not to block is written whole")
    func nonblocking() throws {
        let folder = try TemporaryFolder()
        let capture = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path
        let trace = folder.path("a.kvr")
        try #require(try ProgramRun.kvreel(["capture", "--read", capture, "-o", trace]).status == 0)
        let whole = try ProgramRun.kvreel(["cat", "--json", trace]).output
        let script = """
            import os, subprocess, sys
            r, w = os.pipe()
            os.set_blocking(w, False)
            run = subprocess.Popen([sys.argv[1], "cat", "--json", sys.argv[2]], stdout=w)
            os.close(w)
            with open(r, "rb") as read: sys.stdout.buffer.write(read.read())
            sys.exit(run.wait())
            """
        let run = try ProgramRun.run("python3", ["-c", script, Repository.tool.path, trace])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output == whole)
    }

    @Test("a trace of which nothing can be read is not to be trusted", arguments: ["info", "cat", "analyze"])
    func nothingReadable(_ verb: String) throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("a.kvr")
        try #require(try ProgramRun.kvreel(["capture", "--read", Self.smallCapture, "-o", trace]).status == 0)
        let whole = Array(try Data(contentsOf: URL(fileURLWithPath: trace)))
        let cut = try folder.write("cut.kvr", Array(whole.prefix(whole.count / 2)))
        let run = try ProgramRun.kvreel([verb, cut])
        #expect(run.status == 1, "\(run.errors)")
        #expect(run.errors.contains("cut short"), "\(run.errors)")
        for size in [16, 20, 100] {
            let start = try folder.write("start.kvr", Array(whole.prefix(size)))
            let run = try ProgramRun.kvreel([verb, start])
            #expect(run.status == 3 && run.output.isEmpty, "\(size) bytes: \(run.errors)")
            #expect(
                run.errors.hasPrefix("kvreel: cannot read the trace: \(start): it ends before its first whole block\n"))
        }
    }
}
