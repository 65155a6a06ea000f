import Foundation
import TestSupport
import Testing

/// Decodes a capture and analyses the trace, with the tool as users run it.
func analysis(of captures: [String], in folder: TemporaryFolder) throws -> [String: Any] {
    let trace = folder.path("trace.kvr")
    let capture = try ProgramRun.kvreel(["capture", "--read"] + captures + ["-o", trace, "--force", "--quiet"])
    try #require(capture.status == 0, "capture: \(capture.errors)")
    let analyze = try ProgramRun.kvreel(["analyze", "--json", trace])
    try #require(analyze.status == 0, "analyze: \(analyze.errors)")
    return try Truth.object(Data(analyze.output.utf8))
}

@Suite("Real recordings against what the server logged", .serialized)
struct RealCaptureTests {
    @Test(
        "every figure equals the server's own log", .enabled(if: Repository.hasCaptures),
        arguments: [
            "edgesys-table1", "netcraq-scale", "netcraq-uncached", "etcdctl-mix", "api-mix", "ccore-mix", "large",
        ])
    func equalsTruth(_ name: String) throws {
        let folder = try TemporaryFolder()
        let capture = try Repository.capture(name)
        let truth = try Truth(capture.appending(path: "truth.json"))
        let analysis = try analysis(of: [capture.appending(path: "capture.pcap.zst").path], in: folder)
        #expect(truth.differences(from: analysis) == [])
    }

    @Test(
        "every call equals one of the server's log, by connection, method and key",
        .enabled(if: Repository.hasCaptures),
        arguments: [
            "edgesys-table1", "netcraq-scale", "netcraq-uncached", "etcdctl-mix", "api-mix", "ccore-mix", "large",
        ])
    func matchesCalls(_ name: String) throws {
        let folder = try TemporaryFolder()
        let capture = try Repository.capture(name)
        let trace = folder.path("trace.kvr")
        let recording = try ProgramRun.kvreel([
            "capture", "--read", capture.appending(path: "capture.pcap.zst").path, "-o", trace, "--quiet",
        ])
        #expect(recording.status == 0, "\(recording.errors)")
        let calls = folder.path("calls.jsonl")
        #expect(try ProgramRun.kvreel(["cat", "--json", trace], output: calls).status == 0)
        let match = try ProgramRun.run(
            "python3",
            [
                try Repository.capture("match.py").path, capture.appending(path: "operations.jsonl.zst").path, calls,
                "--right", "0.999",
            ])
        #expect(match.status == 0, "\(match.output) \(match.errors)")
    }

    @Test(
        "the pages of analysis/ are what is printed now (make analysis)",
        arguments: ["edgesys-table1", "netcraq-scale", "netcraq-uncached"])
    func pagesOfTables(_ name: String) throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("trace.kvr")
        let capture = Repository.traces.appending(path: "\(name).pcap.zst").path
        try #require(try ProgramRun.kvreel(["capture", "--read", capture, "-o", trace, "--quiet"]).status == 0)
        let study = Repository.root.appending(path: "analysis/papers-tables")
        let figures = try String(contentsOf: study.appending(path: "\(name).json"), encoding: .utf8)
        #expect(try ProgramRun.kvreel(["analyze", "--json", trace]).output == figures)
        let page = try String(contentsOf: study.appending(path: "\(name).md"), encoding: .utf8)
        #expect(page.contains("```\n" + (try ProgramRun.kvreel(["analyze", trace]).output) + "```\n"))
    }

    @Test("the repository's own small captures equal their truths", arguments: try smallCaptures())
    func smallCapturesEqualTruth(_ name: String) throws {
        let folder = try TemporaryFolder()
        let truth = try Truth(Repository.traces.appending(path: "\(name).truth.json"))
        let analysis = try analysis(of: [Repository.traces.appending(path: "\(name).pcap.zst").path], in: folder)
        #expect(truth.differences(from: analysis) == [])
    }

    /// The traces that are kept of every version of the format.
    static func keptTraces() throws -> [URL] {
        let traces = try FileManager.default.contentsOfDirectory(at: Repository.traces, includingPropertiesForKeys: nil)
            .filter { $0.lastPathComponent.hasPrefix("format-") }
            .flatMap { try FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil) }
            .filter { $0.pathExtension == "kvr" }.sorted { $0.path < $1.path }
        // Every small capture has one at least.
        if try traces.count <= smallCaptures().count {
            throw Repository.Missing(what: "every trace in traces/format-1")
        }
        return traces
    }

    @Test("a trace of every format version is read whole, and equals the truth", arguments: try keptTraces())
    func keptTracesEqualTruth(_ trace: URL) throws {
        let name = trace.deletingPathExtension().lastPathComponent
        let truth = try Truth(Repository.traces.appending(path: "\(name).truth.json"))
        let analyze = try ProgramRun.kvreel(["analyze", "--json", trace.path])
        // A damaged or cut trace would end with 1, or with a warning.
        try #require(analyze.status == 0 && !analyze.errors.contains("warning"), "\(analyze.errors)")
        let analysis = try Truth.object(Data(analyze.output.utf8))
        if name == "midstream" {
            let (share, violations) = truth.bounded(analysis)
            #expect(share >= 0.70 && violations == [], "\(share) of the requests are named")
        } else {
            #expect(truth.differences(from: analysis) == [])
        }
    }

    @Test("joined midway, every call has the method and key of the server's log, and every figure is its truth")
    func joinedMidway() throws {
        let folder = try TemporaryFolder()
        let trace = folder.path("trace.kvr")
        let capture = Repository.traces.appending(path: "midstream.pcap.zst").path
        try #require(try ProgramRun.kvreel(["capture", "--read", capture, "-o", trace, "--quiet"]).status == 0)
        let truth = try Truth(Repository.traces.appending(path: "midstream.truth.json"))
        let analyze = try ProgramRun.kvreel(["analyze", "--json", trace])
        #expect(truth.differences(from: try Truth.object(Data(analyze.output.utf8))) == [])
        let logged = try ProgramRun.run(
            "zstd", ["-dcq", Repository.traces.appending(path: "midstream.operations.jsonl.zst").path])
        let calls = try namedCalls(logged.output)
        let named = try namedCalls(try ProgramRun.kvreel(["cat", "--json", trace]).output)
        #expect(named == calls)
    }

    /// Calls with a known method, by connection, method and key.
    private func namedCalls(_ lines: String) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in lines.split(separator: "\n") {
            let call = try Truth.object(Data(line.utf8))
            guard call["type"] as? String ?? "call" == "call", let method = call["method"] as? String else { continue }
            let key = call["key"] as? String ?? ""
            counts["\(call["conn"] as? String ?? "?") \(method) \(key)", default: 0] += 1
        }
        return counts
    }

    /// All but the one that was joined midway.
    static func smallCaptures() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: Repository.traces.path)
            .filter { $0.hasSuffix(".truth.json") }.map { String($0.dropLast(".truth.json".count)) }.filter {
                $0 != "midstream"
            }.sorted()
        if names.isEmpty { throw Repository.Missing(what: "every capture in traces/") }
        return names
    }
}

@Suite("Disturbed and damaged recordings", .serialized)
struct ImpairedCaptureTests {
    struct Variant: Decodable, CustomTestStringConvertible, Sendable {
        var name: String
        var file: String
        var what: String
        var expect: String
        var missing_bytes: Int?
        var connections_hurt: [Int]?
        var at_least_requests: Double?

        var testDescription: String { "\(name) (\(expect)): \(what)" }
    }
    struct Manifest: Decodable { var variants: [Variant] }

    static func variants() throws -> [Variant] {
        guard Repository.hasCaptures else { return [] }
        let manifest = try Repository.capture("impaired/manifest.json")
        let variants = try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: manifest)).variants
        if variants.isEmpty { throw Repository.Missing(what: "every variant in \(manifest.path)") }
        return variants
    }

    @Test("what the manifest demands", .enabled(if: Repository.hasCaptures), arguments: try variants())
    func holds(_ variant: Variant) throws {
        let folder = try TemporaryFolder()
        let truth = try Truth(try Repository.capture("netcraq-scale/truth.json"))
        let analysis = try analysis(of: [try Repository.capture("impaired/\(variant.file)").path], in: folder)
        switch variant.expect {
        case "equal":
            #expect(truth.differences(from: analysis) == [])
        case "twice":
            #expect(truth.differences(from: analysis, Truth.Rules(times: 2)) == [])
        case "requests-only":
            #expect(truth.differences(from: analysis, Truth.Rules(requestsOnly: true)) == [])
        case "bounded":
            let (share, violations) = truth.bounded(analysis)
            #expect(violations == [])
            #expect(share >= variant.at_least_requests ?? 0, "\(share) of the requests are named")
            if let missing = variant.missing_bytes {
                #expect((analysis["coverage"] as? [String: Any])?["lost_bytes"] as? Int == missing)
            }
            if let hurt = variant.connections_hurt {
                try expectWholeConnections(folder.path("trace.kvr"), besides: Set(hurt))
            }
        case "robust":
            // Nothing may be claimed that cannot be known: a method that this workload never calls would be invented.
            let (_, violations) = truth.bounded(analysis)
            #expect(violations.filter { $0.contains("server saw 0") } == [])
        default:
            Issue.record("the manifest demands '\(variant.expect)', which this test does not know")
        }
    }

    /// Connections that lost nothing hold exactly the calls that the server logged.
    private func expectWholeConnections(_ trace: String, besides hurt: Set<Int>) throws {
        let operations = try ProgramRun.run(
            "zstd", ["-dcq", try Repository.capture("netcraq-scale/operations.jsonl.zst").path])
        let cat = try ProgramRun.kvreel(["cat", "--json", trace])
        let wanted = try Self.calls(operations.output, besides: hurt)
        #expect(!wanted.isEmpty)
        #expect(try Self.calls(cat.output, besides: hurt) == wanted)
    }

    private static func calls(_ lines: String, besides hurt: Set<Int>) throws -> [String] {
        try lines.split(separator: "\n").compactMap { line in
            let call = try Truth.object(Data(line.utf8))
            guard call["type"] as? String ?? "call" == "call", let connection = call["conn"] as? String,
                let port = connection.split(separator: ":").last.flatMap({ Int($0) }), !hurt.contains(port)
            else { return nil }
            return "\(connection) \(call["method"] as? String ?? "?") \(call["key"] as? String ?? "")"
        }.sorted()
    }
}

@Suite("Memory", .serialized)
struct MemoryTests {
    /// Peak resident memory of a child is what the kernel says after its end; Python shows it.
    private func peakMegabytes(_ arguments: [String]) throws -> Int {
        let script = """
            import resource, subprocess, sys
            status = subprocess.run(sys.argv[1:]).returncode
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
            sys.exit(status)
            """
        let run = try ProgramRun.run("python3", ["-c", script, Repository.tool.path] + arguments)
        try #require(run.status == 0, "\(run.errors)")
        return try #require(Int(run.output.split(separator: "\n").last ?? ""))
    }

    @Test("a decode of a large recording stays under 256 MiB", .enabled(if: Repository.hasCaptures))
    func largeIsBounded() throws {
        let folder = try TemporaryFolder()
        let capture = try Repository.capture("large/capture.pcap.zst").path
        let peak = try peakMegabytes(["capture", "--read", capture, "-o", folder.path("a.kvr"), "--quiet"])
        #expect(peak < 256, "\(peak) MiB")
        let analysis = try peakMegabytes(["analyze", folder.path("a.kvr")])
        #expect(analysis < 256, "\(analysis) MiB")
    }
}
