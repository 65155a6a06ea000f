import Foundation
import TestSupport
import Testing

@Suite("Wrong usage: one line of what is wrong, one of where to look")
struct UsageTests {
    struct Mistake: CustomTestStringConvertible {
        var arguments: [String]
        var says: String
        /// The verb whose help is named.
        var page = ""

        var testDescription: String { arguments.joined(separator: " ") }
    }

    @Test(
        "what is wrong is said, with the nearest name or the form of the value",
        arguments: [
            Mistake(arguments: ["analize", "a.kvr"], says: "unknown command 'analize': did you mean 'analyze'?"),
            Mistake(arguments: ["anal"], says: "unknown command 'anal': did you mean 'analyze'?"),
            Mistake(arguments: ["frob"], says: "unknown command 'frob'"),
            Mistake(arguments: ["help", "frob"], says: "unknown command 'frob'"),
            Mistake(arguments: ["--frob"], says: "unknown option '--frob'"),
            Mistake(
                arguments: ["info", "--jsno"], says: "unknown option '--jsno': did you mean '--json'?", page: "info"),
            Mistake(
                arguments: ["capture", "--out", "x"], says: "unknown option '--out': did you mean '--output'?",
                page: "capture"),
            Mistake(
                arguments: ["cat", "-json", "x"], says: "unknown option '-json': did you mean '--json'?", page: "cat"),
            Mistake(arguments: ["cat", "x", "a\u{1b}[31m"], says: "unexpected argument 'a?[31m'", page: "cat"),
            Mistake(arguments: ["cat"], says: "missing expected argument '<trace>'", page: "cat"),
            Mistake(arguments: ["simulate"], says: "name a chain, such as netcraq:4", page: "simulate"),
            Mistake(
                arguments: ["simulate", "netcraq"],
                says: "the value 'netcraq' is invalid for '<chain>': a chain is netcraq:N or netchain:N, with N "
                    + "nodes, 1 to 9",
                page: "simulate"),
            Mistake(
                arguments: ["simulate", "netcraq:3", "--faults", "loss,fire"],
                says: "the value 'loss,fire' is invalid for '--faults <list>': faults are loss, duplicate, reorder, "
                    + "crash, suspect, pause, joined by commas",
                page: "simulate"),
            Mistake(
                arguments: ["replay", "a.kvr", "--backend", "etcd:3", "--at", "10s", "crash:member=1"],
                says: "the value '10s crash:member=1' is invalid for '--at <time fault>': no such fault: crash; there "
                    + "are kill, restart, pause, resume",
                page: "replay"),
            Mistake(
                arguments: ["replay", "a.kvr", "--backend", "etcd:3", "--at", "10s restart:member=1,for=3s"],
                says: "the value '10s restart:member=1,for=3s' is invalid for '--at <time fault>': for= goes with kill "
                    + "and pause: 10s restart:member=1,for=3s",
                page: "replay"),
            Mistake(
                arguments: ["replay", "a.kvr", "--backend", "etcd:3", "--at", "10s", "kill:member=0"],
                says: "the value '10s kill:member=0' is invalid for '--at <time fault>': a member is a number from 1, "
                    + "or leader: 0",
                page: "replay"),
            Mistake(
                arguments: ["simulate", "netcraq:3", "--reset", "0"],
                says: "--reset is for netcraq with --variant paper only", page: "simulate"),
            Mistake(
                arguments: ["simulate", "netcraq:3", "--log", "x"],
                says: "--history and --log are of one seed: name it with --seed", page: "simulate"),
            Mistake(
                arguments: ["simulate", "--published", "--seed", "1"],
                says: "--published runs what was published: --seed has no use with it", page: "simulate"),
            Mistake(
                arguments: ["generate", "-o", "x"],
                says: "say how much: --operations, --duration, or a trace to enlarge with --like", page: "generate"),
            Mistake(
                arguments: ["generate", "--like", "a", "--keys", "5", "-o", "x"],
                says: "--keys is for a synthetic workload; --like keeps what was recorded", page: "generate"),
            Mistake(
                arguments: ["generate", "-n", "5", "--times", "3", "-o", "x"], says: "--times is for --like",
                page: "generate"),
            Mistake(
                arguments: ["generate", "-n", "5", "--mix", "range=1,reads=2", "-o", "x"],
                says: "the value 'range=1,reads=2' is invalid for '--mix <list>': a mix is such as "
                    + "range=60,put=10,txn=20,delete=5,list=5, with shares of any sum", page: "generate"),
            Mistake(
                arguments: ["generate", "-n", "5", "--value-bytes", "9-1", "-o", "x"],
                says: "the value '9-1' is invalid for '--value-bytes <bytes>': sizes of values are such as 1024 or "
                    + "512-4096, at most 1572864 bytes", page: "generate"),
            Mistake(
                arguments: ["report", "a", "--json", "--format", "md"], says: "--json and --format exclude each other",
                page: "report"),
            Mistake(
                arguments: ["report", "a", "b", "a"], says: "a is named twice: a run is no repeat of itself",
                page: "report"),
            Mistake(arguments: ["info", ""], says: "an argument is empty: ''", page: "info"),
            Mistake(arguments: ["capture", "-r", "a", "-o", ""], says: "an argument is empty: ''", page: "capture"),
            Mistake(
                arguments: ["capture", "-r", "a", "--output="], says: "the value of --output is empty",
                page: "capture"),
            Mistake(
                arguments: ["capture", "e.pcap", "-o", "x"],
                says: "captures are named with --read: kvreel capture --read e.pcap -o TRACE.kvr", page: "capture"),
            Mistake(
                arguments: ["capture", "-r", "a", "-i", "lo", "-o", "x"],
                says: "--read and --interface exclude each other", page: "capture"),
            Mistake(
                arguments: ["capture", "-r", "a", "-o", "x", "--output", "y"], says: "--output is given twice",
                page: "capture"),
            Mistake(
                arguments: ["capture", "-i", "lo", "-i", "eth0", "-o", "x"], says: "--interface is given twice",
                page: "capture"),
            Mistake(
                arguments: ["capture", "-r", "a", "-o", "x", "-p", "70000"],
                says: "the value '70000' is invalid for '-p <n>': a port is 1 to 65535", page: "capture"),
            Mistake(
                arguments: ["capture", "-i", "lo", "-o", "x", "-d", "soon"],
                says: "the value 'soon' is invalid for '-d <time>': a time is such as 500ms, 30s, 5m, 2h",
                page: "capture"),
            Mistake(
                arguments: ["capture", "-i", "lo", "-o", "x", "-B", "8"],
                says: "the value '8' is invalid for '-B <kib>': a buffer size is 256 to 1048576 KiB", page: "capture"),
            Mistake(
                arguments: ["capture", "-i", "lo", "-o", "x", "--rotate-size", "100"],
                says: "the value '100' is invalid for '--rotate-size <size>': a size of files is such as 100M or 2G, "
                    + "at least 4K", page: "capture"),
            Mistake(
                arguments: ["capture", "-i", "lo", "-o", "x", "--rotate-time", "10ms"],
                says: "the value '10ms' is invalid for '--rotate-time <time>': files are of a second at least",
                page: "capture"),
            Mistake(
                arguments: ["capture", "-i", "lo", "-o", "x", "--keep", "3"],
                says: "--keep is for recordings in several files (--rotate-size, --rotate-time)", page: "capture"),
            Mistake(
                arguments: ["capture", "-i", "lo", "-o", "-", "--rotate-size", "1G"],
                says: "standard output cannot be rotated; name a file with --output (-o)", page: "capture"),
            Mistake(
                arguments: ["capture", "-r", "a", "-o", "x", "-c", "-5"],
                says: "'-5' is no option; numbers are not negative, and such a file is named ./-5", page: "capture"),
        ])
    func mistakes(_ mistake: Mistake) throws {
        let run = try ProgramRun.kvreel(mistake.arguments)
        let page = mistake.page.isEmpty ? "" : mistake.page + " "
        #expect(run.errors == "kvreel: \(mistake.says)\nSee 'kvreel \(page)--help'.\n")
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
    }

    @Test("an argument that is not UTF-8 is refused, not replaced by another name")
    func notUTF8() throws {
        let run = try ProgramRun.run("bash", ["-c", "\"$1\" info $'\\xff.kvr'", "bash", Repository.tool.path])
        #expect(run.status == 2)
        #expect(run.errors.hasPrefix("kvreel: argument 2 is not UTF-8: "), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 2)
    }

    @Test("help answers", arguments: [["--help"], ["help", "cat"], ["info", "-h"], ["help"]])
    func help(_ arguments: [String]) throws {
        let run = try ProgramRun.kvreel(arguments)
        #expect(run.status == 0 && run.errors.isEmpty)
        #expect(run.output.contains("USAGE: kvreel"))
    }
}
