import Replay
import Testing

@Suite("Conditions of a run")
struct RunConditionsTests {
    private static let full: RunConditions = {
        var full = RunConditions(cores: 2, members: 3)
        full.processor = "AMD EPYC 7763: 64 cores"
        full.memoryBytes = 25_274_793_984
        full.kernel = "Linux 6.1.0-13-amd64"
        full.fileSystem = "ext4"
        full.device = "/dev/my disk"
        full.store = "etcd 3.4.23"
        full.hasTLS = false
        full.fsyncs = [
            .init(member: 1, count: 1_204, medianAtMost: 1_000_000, p99AtMost: 4_000_000),
            .init(member: 3, count: 2, medianAtMost: nil, p99AtMost: nil),
        ]
        full.membersBusy = 0.7125
        full.replayerBusy = 0.25
        full.load = "0.50 0.40 0.30"
        return full
    }()

    @Test("a text holds all of it, and what is not known is not in it")
    func text() {
        #expect(RunConditions(text: Self.full.text) == Self.full)
        let least = RunConditions(cores: 8, members: 1)
        #expect(least.text == "cores 8\nmembers 1")
        #expect(RunConditions(text: least.text) == least)
    }

    @Test("a name with a line's end in it is one line")
    func oneLine() {
        var conditions = RunConditions(cores: 1, members: 1)
        conditions.processor = "a\nmembers 9"
        #expect(RunConditions(text: conditions.text)?.processor == "a members 9")
        #expect(RunConditions(text: conditions.text)?.members == 1)
    }

    @Test(
        "a text of another kind is none",
        arguments: ["", "cores 2", "cores 0\nmembers 1", "cores -1\nmembers 1", "members 3\ncores x"])
    func none(_ text: String) {
        #expect(RunConditions(text: text) == nil)
    }

    @Test("lines that nobody knows, and numbers that are none, are passed over")
    func unknown() {
        let lines = [
            "cores 2", "members 1", "colour blue", "fsync 1 2 3", "fsync 1 -2 3 4", "members-busy nan",
            "replayer-busy -1", "tls maybe",
        ]
        let text = lines.joined(separator: "\n")
        #expect(RunConditions(text: text) == RunConditions(cores: 2, members: 1))
    }

    @Test("members beyond cores, and a replayer above its bound, are said")
    func doubts() {
        #expect(Self.full.membersExceedCores && !Self.full.isGeneratorBound)
        var other = Self.full
        (other.members, other.replayerBusy) = (2, 0.31)
        #expect(!other.membersExceedCores && other.isGeneratorBound)
        other.replayerBusy = nil
        #expect(!other.isGeneratorBound)
    }
}
