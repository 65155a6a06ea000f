import Wire

/// Which format a payload claims to be of, by its first bytes: the packet of the paper, or kvreel's extended one. The
/// rest of the payload is the format's own matter.
package enum PacketForm: Equatable, BitwiseCopyable, Sendable {
    case paper
    /// Of this version, 1 or more; a version may be unknown to us.
    case extended(version: UInt8)
    case malformed

    /// NetChain. The paper's packet begins with an address that a node can have, or, as a reply without addresses, with
    /// its operation; a list that begins with its end is nobody's request. Class E addresses never stand in a list, so
    /// `f1` is free to say extended version 1; those after it are kept for later versions.
    package init(netChain payload: Span<UInt8>) {
        guard payload.count > 0 else {
            self = .malformed
            return
        }
        switch payload[0] {
        case 0x01...0xdf: self = .paper
        case 0xf1: self = .extended(version: 1)
        default: self = .malformed
        }
    }

    /// NetCRAQ. The low six bits of the first byte are padding in the paper's packet, which has 22 bytes, and the
    /// version in the extended one.
    package init(netCRAQ payload: Span<UInt8>) {
        guard payload.count > 0 else {
            self = .malformed
            return
        }
        let version = payload[0] & 0x3f
        if version != 0 {
            self = .extended(version: version)
        } else if payload.count == NetCRAQPaperPacket.byteCount, payload[1] == 0 {
            self = .paper
        } else {
            self = .malformed
        }
    }
}
