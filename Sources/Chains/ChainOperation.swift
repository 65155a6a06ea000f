/// What a packet of an extended format asks or says (its `xop`).
package enum ChainOperation: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case hello = 0x01
    case helloReply = 0x02
    case read = 0x0a
    case readReply = 0x0b
    case write = 0x0c
    case writeReply = 0x0d
    case compareAndSet = 0x0e
    case compareAndSetReply = 0x0f
    /// A read of a key with uncommitted versions, sent on to the tail; `aux.number` is the asking node's place.
    case tailRead = 0x14
    /// The same question, for the committed version only (CRAQ, ATC 2009 §2.3); `aux.number` as in `tailRead`.
    case versionQuery = 0x15
    case versionReply = 0x16
    /// A write with its version, on its way from the head to the tail.
    case chainWrite = 0x18
    /// The tail's word that a version is committed: NetCRAQ's ACKNOWLEDGE between switches.
    case commit = 0x19

    /// NetCRAQ's two-bit KV_OP, the upper bits of a CQX packet's first byte: 0 READ, 1 READ_REPLY, 2 WRITE,
    /// 3 ACKNOWLEDGE.
    package var kvOperation: UInt8 {
        switch self {
        case .hello, .read, .tailRead, .versionQuery: 0
        case .helloReply, .readReply, .versionReply: 1
        case .write, .compareAndSet, .chainWrite: 2
        case .writeReply, .compareAndSetReply, .commit: 3
        }
    }

    /// Whether a packet of this kind may carry a value.
    package var mayCarryValue: Bool {
        switch self {
        case .readReply, .write, .compareAndSet, .chainWrite, .commit: true
        default: false
        }
    }

    /// Whether only a client sends it, to a switch's request port.
    package var isRequest: Bool {
        switch self {
        case .hello, .read, .write, .compareAndSet: true
        default: false
        }
    }
}
