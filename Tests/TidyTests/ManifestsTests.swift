import Foundation
import TestSupport
import Testing

@Suite("The manifests in deploy/ are Kubernetes'", .serialized)
struct ManifestsTests {
    private static let manifests = RepositoryFile.all.filter {
        $0.path.hasPrefix("deploy/") && $0.name.hasSuffix(".yaml")
    }

    private func check(_ folder: String) throws -> ProgramRun {
        try ProgramRun.run(Repository.root.appending(path: "scripts/check-manifests").path, [folder])
    }

    @Test("they are valid by the schemas of every version that they name")
    func valid() throws {
        let run = try check("deploy")
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains("of \(Self.manifests.count) files, Kubernetes 1.29"), "\(run.output)")
        #expect(Self.manifests.count >= 3)
    }

    @Test(
        "a field that is misspelt, of another type, or gone is found",
        arguments: [
            ("backoffLimitPerIndex: 0", "backofLimitPerIndex: 0", "backofLimitPerIndex"),
            ("completions: 4", "completions: four", "completions"),
            ("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true", "readOnlyRootFileSystem"),
            ("      containers:", "      container:", "container"),
            ("kind: Job", "kind: Jobb", "jobb"),
        ])
    func invalid(_ text: String, _ broken: String, _ told: String) throws {
        let manifest = try #require(RepositoryFile.named("deploy/replay.yaml")?.text)
        try #require(manifest.contains(text))
        let folder = try TemporaryFolder()
        try manifest.replacingOccurrences(of: text, with: broken)
            .write(toFile: folder.path("replay.yaml"), atomically: true, encoding: .utf8)
        let run = try check(folder.path(""))
        #expect(run.status == 1, "\(run.errors)")
        #expect(run.output.lowercased().contains(told.lowercased()), "\(run.output)")
    }

    @Test("what they call kvreel with exists, and the shards are as many as the pods")
    func arguments() throws {
        let replay = try #require(RepositoryFile.named("deploy/replay.yaml")?.text)
        let known = try ["replay", "merge"].map { try ProgramRun.kvreel([$0, "--help"]).output }
        let options = replay.matches(of: /\n +- (--[a-z-]+)\n/).map { String($0.1) }
        #expect(options.count > 5)
        for option in options {
            #expect(known[0].contains(option + " ") || known[0].contains(option + ","), "\(option)")
        }
        let merge = try #require(RepositoryFile.named("deploy/merge.yaml")?.text)
        for option in merge.matches(of: /[ ](--[a-z-]+)/).map({ String($0.1) }) {
            #expect(known[1].contains(option), "\(option)")
        }
        for line in ["completions: 4", "parallelism: 4", "- job/4"] { #expect(replay.contains(line)) }
    }
}
