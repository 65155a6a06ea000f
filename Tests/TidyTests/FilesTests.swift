import Foundation
import Testing

@Suite("Files are small, finished and speak of kvreel alone")
struct FilesTests {
    @Test("the repository is found")
    func repositoryIsFound() {
        #expect(RepositoryFile.all.contains { $0.path == "Package.swift" })
        #expect(RepositoryFile.sources.count > 10)
    }

    @Test("no file has more than 1 MB, and traces/ no more than 5 MB")
    func sizes() {
        let large = RepositoryFile.all.filter { $0.size > 1_000_000 }
        #expect(large.map(\.path).isEmpty)
        let traces = RepositoryFile.all.filter { $0.path.hasPrefix("traces/") }
        #expect(!traces.isEmpty)
        #expect(traces.map(\.size).reduce(0, +) <= 5_000_000)
    }

    @Test("every capture in traces/ has its checksum and its place in the page")
    func tracesAreNamed() throws {
        let sums = try #require(RepositoryFile.named("traces/SHA256SUMS")?.text)
        let page = try #require(RepositoryFile.named("traces/README.md")?.text)
        let kinds = [".pcap.zst", ".pcapng.zst", ".kvr"]
        for file in RepositoryFile.all
        where file.path.hasPrefix("traces/") && kinds.contains(where: file.path.hasSuffix) {
            #expect(sums.contains("  " + file.path.dropFirst("traces/".count)), "\(file.path) is not in SHA256SUMS")
            #expect(page.contains(file.name.prefix { $0 != "." }), "\(file.path) is not in traces/README.md")
        }
    }

    @Test("nothing is left to do", arguments: RepositoryFile.texts)
    func nothingLeftToDo(_ file: RepositoryFile) throws {
        let markers = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        for (index, line) in try #require(file.lines).enumerated() {
            let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
            let marker = words.first { markers.contains(String($0)) }
            #expect(marker == nil, "\(file.path):\(index + 1)")
        }
    }

    @Test("no path of somebody's machine", arguments: RepositoryFile.texts)
    func noMachinePaths(_ file: RepositoryFile) throws {
        let text = try #require(file.text)
        for path in ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/op" + "t/swift"] {
            #expect(!text.contains(path), "\(file.path) names \(path)")
        }
    }

    @Test(
        "lines of code have at most 120 columns", arguments: RepositoryFile.texts.filter { !$0.name.hasSuffix(".md") })
    func lineLength(_ file: RepositoryFile) throws {
        let isData = file.name.hasSuffix(".json") || file.name.hasSuffix(".txt")
        guard !isData else { return }
        for (index, line) in try #require(file.lines).enumerated() {
            #expect(line.count <= 120, "\(file.path):\(index + 1) has \(line.count) columns")
        }
    }

    @Test("files say what they are: no Manager, Helper, Utils, Common", arguments: RepositoryFile.sources)
    func names(_ file: RepositoryFile) {
        let vague = ["Manager", "Helper", "Util", "Common", "Misc"]
        #expect(!vague.contains { file.name.contains($0) })
    }
}
