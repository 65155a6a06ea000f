/// What a switch of a default variant is started with.
package struct ReplicaConfiguration: Sendable {
    /// Its own address, as chains name it.
    package var address: UInt32
    /// Where clients may be; a request from elsewhere is counted and not answered.
    package var clients: IPv4Network
    /// NetCRAQ: version cells a key (NUMBER_OF_VERSIONS), the committed one included, 2...16.
    package var versions = 8
    /// NetCRAQ: a read of a key with uncommitted versions asks the tail for the committed version's number and is
    /// answered here (CRAQ, ATC 2009 §2.3), rather than sent on to be answered there.
    package var asksForVersions = false
    /// A version not committed after these nanoseconds is sent again.
    package var resendInterval: UInt64 = 20_000_000
    package var limits = ReplicaLimits()
    package var mutations: Mutations = []

    package init(address: UInt32, clients: IPv4Network) {
        self.address = address
        self.clients = clients
    }

    /// `versions` within its bounds.
    var cellsPerKey: Int { min(max(versions, 2), 16) }
}

/// What a switch holds at most. All of it belongs to a switch that nobody attacks as much as to one that somebody
/// does, so the numbers are room for real use, not guards alone.
package struct ReplicaLimits: Sendable {
    /// Virtual groups, numbered from 0.
    package var groups = 1024
    /// Keys of all groups. A key with eight cells of 16 bytes takes about 650 bytes.
    package var keys = 262_144
    /// Client sessions remembered, of all groups; about 130 bytes each. A write of one more is answered PAUSED.
    package var slots = 262_144
    /// Closed sessions remembered a group.
    package var closedSlots = 65_536
    /// Removed keys remembered, so that a delta copy can name them.
    package var removals = 65_536
    /// Keys looked at by one call of `advance`, so that it stays short beside a batch of packets.
    package var keysPerAdvance = 512
    /// Versions sent again by one call of `advance`.
    package var resendsPerAdvance = 64
    /// Keys or sessions in one answer to COPY_READ or COUNTERS.
    package var entriesPerCopy = 1024
    /// Bytes of values after which an answer to COPY_READ ends.
    package var bytesPerCopy = 65_536

    package init() {}
}
