/// What a switch has seen and done since it started. Bytes are payload bytes, without fabric frame, UDP and IP.
package struct SwitchCounters: Equatable, Sendable {
    package var packetsIn = 0
    package var bytesIn = 0
    package var packetsOut = 0
    package var bytesOut = 0

    /// Datagrams that no format of this protocol allows.
    package var malformed = 0
    /// Well-formed datagrams from outside the clients' network, or fabric frames of a switch not configured.
    package var foreign = 0
    /// Fabric frames whose time to live ran out.
    package var expired = 0
    /// Datagrams that have nowhere to go: the list ended before the tail, a read came to a node that may not answer it,
    /// the next destination is no switch of the network.
    package var unroutable = 0
    /// Datagrams that a rule of NetChain's failure table stopped.
    package var stopped = 0
    /// Requests for keys without an entry here.
    package var unknownKeys = 0

    /// Reads answered here, from a committed value.
    package var readsClean = 0
    /// Reads sent on, since a newer version is not committed yet.
    package var readsDirty = 0
    /// Writes taken over: stored, and passed on or committed.
    package var writes = 0
    /// Writes refused or dropped since all versions of the key are in use.
    package var versionOverflows = 0
    /// Writes from upstream whose version was not newer than the stored one.
    package var writesStale = 0
    /// Acknowledgements (COMMIT) received.
    package var acknowledgements = 0
    /// Datagrams of another epoch than this switch's, or while it is sealed.
    package var otherEpochs = 0
    /// Requests answered with an error status, for any other reason.
    package var rejections = 0
    /// Versions sent again by the timer or on activation.
    package var resent = 0

    package init() {}
}
