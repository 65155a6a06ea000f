/// What decryption holds at most, and how far it searches. Reaching a limit is counted, never an error.
package struct TLSLimits: Sendable {
    /// Connections of which the key log's secrets are kept, about 380 bytes each; beyond it the oldest are dropped.
    package var keyLogConnections = 1 << 16
    /// Bytes of one line of a key log; the longest known one has 210.
    package var keyLogLineBytes = 1024
    /// Bytes of one ClientHello or ServerHello: browsers' are below 2 KiB, key shares of post-quantum algorithms add
    /// as much.
    package var helloBytes = 1 << 16
    /// Bytes of one direction kept while its keys are missing: a live key log may be written after the packets were
    /// seen. More than the first requests of a client.
    package var waitingBytes = 1 << 16
    /// Early data kept until it is known whether the server took it (RFC 8446 §4.2.10); OpenSSL allows 16 KiB.
    package var earlyDataBytes = 1 << 17
    /// Sequence numbers tried for a record behind a gap or after joining midway, with each secret that may be right.
    package var sequences = 1 << 20
    /// Records opened on trial, for each connection; some 0.15 µs each for a small record, with one of 1 KiB counted
    /// twice, and so on. A second of work.
    package var trialsPerConnection = 1 << 23
    /// ... and for all connections together: made-up connections cannot stop a recording for more than 20 s.
    package var trialsInTotal = 1 << 27
    /// Connections of the log, the newest ones, that one joined midway is compared with: some KiB each while it lasts.
    package var connectionsTried = 4096
    /// Records of a connection joined midway that are tried with all secrets, until it waits for other secrets.
    package var recordsTried = 4
    /// ... and how many of them, the first ones, also with the secrets of handshakes: a ServerHello in the clear may
    /// look like the first protected record.
    package var handshakeRecordsTried = 2

    package init() {}
}
