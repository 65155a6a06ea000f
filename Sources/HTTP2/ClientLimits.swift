/// What a client's side of one connection holds at most. Beside each stands what happens beyond it.
package struct ClientLimits: Sendable {
    /// Streams open at once, whatever the other side allows; more are not opened. etcd allows 2^32 − 1.
    package var openStreams = 65_536
    /// Bytes of messages that wait for the other side's window; more are not taken. A gRPC server's window is 64 KiB
    /// at first, and etcd's largest request 1.5 MiB.
    package var waitingBytes = 64 << 20
    /// Bytes of one field block, over all its frames; a longer one ends the connection. gRPC servers send less than 8
    /// KiB.
    package var fieldBlockBytes = 1 << 18
    /// Octets that may come on a stream before more are allowed (RFC 9113 §5.2): nothing is held here, so they only
    /// have to be more than ever come between two calls of `receive`.
    package var windowBytes = 1 << 30
    /// Bytes of text that gather before what no table needs any more is dropped.
    package var textBytes = 1 << 14
    /// The longest debug text of a GOAWAY that is kept; the rest is dropped.
    package var debugBytes = 256

    package init() {}
}
