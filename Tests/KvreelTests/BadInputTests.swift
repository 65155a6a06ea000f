import Foundation
import TestSupport
import Testing

@Suite("Bad input and output: one line of reason, the remedy, the exit status")
struct BadInputTests {
    /// Runs `capture --read` on bytes and expects that no trace is left.
    private func refuse(
        _ bytes: [UInt8], because reason: String, arguments: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let folder = try TemporaryFolder()
        let run = try ProgramRun.kvreel(
            ["capture", "--read", try folder.write("in.pcap", bytes), "-o", folder.path("out.kvr"), "--quiet"]
                + arguments)
        #expect(run.status == 3, "\(run.errors)", sourceLocation: sourceLocation)
        #expect(run.errors.hasPrefix("kvreel: "), sourceLocation: sourceLocation)
        #expect(run.errors.contains(reason), "\(run.errors)", sourceLocation: sourceLocation)
        #expect(run.output.isEmpty, sourceLocation: sourceLocation)
        #expect(!FileManager.default.fileExists(atPath: folder.path("out.kvr")), sourceLocation: sourceLocation)
    }

    /// A pcap file header: little-endian, microseconds, that link type.
    private static func header(linkType: UInt8 = 1) -> [UInt8] {
        [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, linkType, 0, 0, 0]
    }

    private static func record(_ packet: [UInt8]) -> [UInt8] {
        let length = UInt8(packet.count)
        return [1, 0, 0, 0, 0, 0, 0, 0, length, 0, 0, 0, length, 0, 0, 0] + packet
    }

    /// An Ethernet frame with a UDP datagram.
    private static let otherPacket: [UInt8] =
        Array(repeating: 0, count: 12) + [8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]
        + [0, 53, 0, 53, 0, 8, 0, 0]

    @Test("an empty file") func empty() throws { try refuse([], because: "empty") }
    @Test("no capture") func noCapture() throws { try refuse(Array("hello, world\n".utf8), because: "capture") }
    @Test("a header and no packet") func headerOnly() throws { try refuse(Self.header(), because: "no packets") }
    @Test("a file cut within its header") func cutHeader() throws {
        try refuse(Array(Self.header().prefix(9)), because: "kvreel: ")
    }
    @Test("no etcd traffic") func otherTraffic() throws {
        try refuse(Self.header() + Self.record(Self.otherPacket), because: "no etcd traffic on port 2379")
    }
    @Test("an unknown link type") func linkType() throws {
        try refuse(Self.header(linkType: 105) + Self.record(Self.otherPacket), because: "link type 105")
    }

    @Test("only TLS without keys", .enabled(if: Repository.hasCaptures))
    func onlyTLS() throws {
        let folder = try TemporaryFolder()
        let capture = try Repository.capture("tls13/capture.pcap.zst").path
        let run = try ProgramRun.kvreel(["capture", "--read", capture, "-o", folder.path("out.kvr")])
        #expect(run.status == 3)
        #expect(run.errors.contains("only TLS without keys"), "\(run.errors)")
        #expect(run.errors.contains("--keylog"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("out.kvr")))
    }

    @Test("a path that is missing or a directory", arguments: ["/nonexistent/etcd.pcap", "/tmp"])
    func unreadable(_ path: String) throws {
        let folder = try TemporaryFolder()
        let run = try ProgramRun.kvreel(["capture", "--read", path, "-o", folder.path("out.kvr")])
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.errors.hasPrefix("kvreel: cannot read: \(path): "), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("out.kvr")))
        for command in ["info", "cat", "analyze"] {
            let run = try ProgramRun.kvreel([command, path])
            #expect(run.status == 3, "\(command): \(run.errors)")
            #expect(run.errors.hasPrefix("kvreel: "), "\(run.errors)")
        }
    }

    static let smallCapture = Repository.traces.appending(path: "etcdctl-mix.pcap.zst").path

    @Test("an output that cannot be created")
    func unwritable() throws {
        let run = try ProgramRun.kvreel(["capture", "--read", Self.smallCapture, "-o", "/nonexistent/a.kvr"])
        #expect(run.status == 4, "\(run.errors)")
        #expect(run.errors.hasPrefix("kvreel: cannot create the trace: /nonexistent/a.kvr: "), "\(run.errors)")
        #expect(run.errors.hasSuffix("\nMake the folder first.\n"), "\(run.errors)")
    }

    @Test("a full disk, for the trace and for results")
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        let capture = try ProgramRun.kvreel(["capture", "--read", Self.smallCapture, "-o", "/dev/full"])
        #expect(capture.status == 4, "\(capture.errors)")
        #expect(capture.errors.contains("No space left"), "\(capture.errors)")
        let trace = folder.path("a.kvr")
        try #require(try ProgramRun.kvreel(["capture", "--read", Self.smallCapture, "-o", trace]).status == 0)
        for command in [["info", trace], ["cat", trace], ["cat", "--json", trace], ["analyze", trace]] {
            let run = try ProgramRun.kvreel(command, output: "/dev/full")
            #expect(run.status == 4, "\(command): \(run.errors)")
            #expect(run.errors.contains("No space left"), "\(run.errors)")
        }
    }

    @Test("a closed pipe is no error")
    func closedPipe() throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("a.kvr")
        let capture = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path
        try #require(try ProgramRun.kvreel(["capture", "--read", capture, "-o", trace]).status == 0)
        let tool = Repository.tool.path
        let run = try ProgramRun.run(
            "bash", ["-c", "'\(tool)' cat --json '\(trace)' | head -n 1 | wc -l; echo ${PIPESTATUS[0]}"])
        #expect(run.output == "1\n0\n", "\(run.output) \(run.errors)")
    }

    @Test("an existing trace is replaced only by --force, and stays where the input is of no use")
    func existing() throws {
        let folder = try TemporaryFolder()
        let trace = try folder.write("a.kvr", Array("precious".utf8))
        let refused = try ProgramRun.kvreel(["capture", "--read", Self.smallCapture, "-o", trace])
        #expect(refused.status == 4)
        #expect(refused.errors.contains("--force"), "\(refused.errors)")
        let empty = try folder.write("empty.pcap", Self.header())
        #expect(try ProgramRun.kvreel(["capture", "--read", empty, "-o", trace, "--force"]).status == 3)
        #expect(try String(contentsOfFile: trace, encoding: .utf8) == "precious")
        #expect(try ProgramRun.kvreel(["capture", "--read", Self.smallCapture, "-o", trace, "--force"]).status == 0)
        #expect(try ProgramRun.kvreel(["analyze", trace]).status == 0)
    }

    @Test(
        "wrong usage says so in a line and ends with 2",
        arguments: [
            [], ["nonsense"], ["capture"], ["capture", "-o", "a.kvr"],
            ["capture", "--read", "a", "-i", "lo", "-o", "b"],
            ["capture", "--read", "a", "--duration", "5s", "-o", "b"], ["capture", "--read", "a", "-o", "json"],
            ["capture", "--read", "a", "-o", "b", "--port", "70000"], ["analyze"], ["analyze", "--top", "0", "a"],
            ["cat"], ["info", "--frobnicate", "a"],
        ])
    func usage(_ arguments: [String]) throws {
        let run = try ProgramRun.kvreel(arguments)
        if arguments.isEmpty {
            // The bare name shows what there is to do.
            #expect(run.status == 0 && run.output.contains("capture"), "\(run.output)\(run.errors)")
        } else {
            #expect(run.status == 2, "\(run.errors)")
            #expect(run.errors.hasPrefix("kvreel: "), "\(run.errors)")
            #expect(run.output.isEmpty)
        }
    }

    @Test("no permission on an interface, or no such interface")
    func interface() throws {
        let folder = try TemporaryFolder()
        let run = try ProgramRun.kvreel(["capture", "-i", "nosuch0", "-o", folder.path("a.kvr"), "--duration", "1s"])
        #expect(run.status == 3 || run.status == 4, "\(run.errors)")
        #expect(run.errors.hasPrefix("kvreel: "), "\(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("a.kvr")))
    }
}

@Suite("Traces that were cut or damaged")
struct DamagedTraceTests {
    private func trace(in folder: TemporaryFolder) throws -> [UInt8] {
        let capture = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path
        try #require(try ProgramRun.kvreel(["capture", "--read", capture, "-o", folder.path("a.kvr")]).status == 0)
        return Array(try Data(contentsOf: folder.url.appending(path: "a.kvr")))
    }

    @Test("a cut trace is read as far as it goes, and the loss is said")
    func cut() throws {
        let folder = try TemporaryFolder()
        let whole = try trace(in: folder)
        let cut = try folder.write("cut.kvr", Array(whole.dropLast(10)))
        let run = try ProgramRun.kvreel(["analyze", "--json", cut])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("cut short"), "\(run.errors)")
        #expect(try Truth.object(Data(run.output.utf8))["methods"] != nil)
        let half = try folder.write("half.kvr", Array(whole.prefix(whole.count / 2)))
        let info = try ProgramRun.kvreel(["info", half])
        #expect(info.errors.contains("cut short"), "\(info.errors)")
    }

    @Test("a cut trace that is damaged before its end as well is not to be trusted")
    func damagedAndCut() throws {
        let folder = try TemporaryFolder()
        var bytes = Array(try trace(in: folder).dropLast(10))
        // In the payload of the first block, behind the file's and the block's header.
        bytes[16 + 56 + 3] ^= 1
        let run = try ProgramRun.kvreel(["analyze", try folder.write("a.kvr", bytes)])
        #expect(run.status == 1, "\(run.errors)")
        #expect(
            run.errors.contains("cut short") && run.errors.contains("is damaged, without 1 block "), "\(run.errors)")
    }

    @Test("a trace named twice is refused, under whatever names")
    func namedTwice() throws {
        let folder = try TemporaryFolder()
        _ = try trace(in: folder)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("b.kvr"), withDestinationPath: folder.path("a.kvr"))
        for other in ["a.kvr", "b.kvr"] {
            let run = try ProgramRun.kvreel(["analyze", folder.path("a.kvr"), folder.path(other)])
            #expect(run.status == 2, "\(run.errors)")
            #expect(run.errors.contains("\(other) is named twice"), "\(run.errors)")
            #expect(run.output.isEmpty)
        }
    }

    @Test("a capture given for a trace is recognised")
    func capture() throws {
        let folder = try TemporaryFolder()
        let run = try ProgramRun.kvreel(["analyze", Repository.traces.appending(path: "etcdctl-mix.pcap.zst").path])
        #expect(run.status == 3)
        #expect(run.errors.contains("not a trace"), "\(run.errors)")
        #expect(run.errors.contains("kvreel capture --read "), "\(run.errors)")
        let text = try folder.write("a.kvr", Array("KVREE".utf8))
        #expect(try ProgramRun.kvreel(["info", text]).status == 3)
    }
}

@Suite("Reading in other ways gives the same trace")
struct EquivalenceTests {
    @Test("from standard input, plain, and in two files")
    func sources() throws {
        let folder = try TemporaryFolder()
        let compressed = Repository.traces.appending(path: "netcraq-scale.pcap.zst").path
        try #require(try ProgramRun.run("zstd", ["-dcq", compressed], output: folder.path("plain.pcap")).status == 0)
        let plain = try Data(contentsOf: folder.url.appending(path: "plain.pcap"))

        // Two captures of which the second goes on where the first ended: cut between two records.
        var offset = 24
        while offset < plain.count / 2 {
            let length = plain[offset + 8..<offset + 12].reversed().reduce(0) { $0 << 8 | Int($1) }
            offset += 16 + length
        }
        try plain[..<offset].write(to: folder.url.appending(path: "one.pcap"))
        try (plain[..<24] + plain[offset...]).write(to: folder.url.appending(path: "two.pcap"))

        func json(_ arguments: [String], input: String? = nil) throws -> String {
            let trace = folder.path("t.kvr")
            let run = try ProgramRun.kvreel(
                ["capture", "-o", trace, "--force", "--quiet", "--read"] + arguments, input: input)
            try #require(run.status == 0, "\(run.errors)")
            return try ProgramRun.kvreel(["cat", "--json", trace]).output
        }
        let expected = try json([compressed])
        #expect(!expected.isEmpty)
        #expect(try json([folder.path("plain.pcap")]) == expected)
        #expect(try json(["-"], input: folder.path("plain.pcap")) == expected)
        #expect(try json([folder.path("one.pcap"), folder.path("two.pcap")]) == expected)
    }
}
