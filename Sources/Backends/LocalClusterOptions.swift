/// What a local cluster is to be.
package struct LocalClusterOptions: Sendable {
    /// 1 to `LocalClusterLimits.members`.
    package var members: Int
    /// Name or path of etcd's program.
    package var program = "etcd"
    /// Where the data's folder is made; nil: `TMPDIR`, or `/tmp`.
    package var folder: String?
    /// Handed on to every member behind what kvreel says: of two, etcd takes the later.
    package var arguments: [String] = []
    /// How long the cluster may take until it is healthy, nanoseconds.
    package var startTime: UInt64 = 60_000_000_000

    package init(members: Int) { self.members = members }
}

/// Bounds of a local cluster.
package enum LocalClusterLimits {
    /// etcd advises at most seven members.
    package static let members = 9
    /// Bytes of a member's store, etcd's own advised maximum: its default of 2 GiB stops writes within a long replay.
    package static let quotaBytes = 8 << 30
    /// Bytes of a request: recorded ones go beyond etcd's default of 1.5 MiB where servers were told to take them.
    package static let requestBytes = 10 << 20
    /// How long members may take to end when asked to, nanoseconds; then they are killed. Ending, a leader waits about
    /// a second for another one to take over.
    package static let stopTime: UInt64 = 5_000_000_000
    /// How long one question to a member may take, nanoseconds: a healthy one answers in milliseconds, and one that
    /// was elected late within its own second.
    package static let answerTime: UInt64 = 2_000_000_000
    /// Between two rounds of questions to members that are not healthy yet, nanoseconds.
    package static let pollTime: UInt64 = 10_000_000
    /// How often other ports are tried when somebody else took one before a member did.
    package static let portTrials = 5
    /// Lines of a member's log that a message shows, and characters of each.
    package static let logLines = 3
    package static let logLineLength = 300
    /// Bytes at a log's end that are looked at.
    package static let logBytes = 1 << 16
}
