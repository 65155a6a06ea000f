package import Replay

extension Difference {
    /// As reports name it.
    package var words: String {
        switch self {
        case .none: "as recorded"
        case .status: "another status"
        case .succeeded: "the other branch"
        case .found: "found or not"
        case .count: "another count"
        case .leaseExpired: "a lease had ended"
        case .unmapped: "a number not translated"
        case .connectionLost: "connection lost"
        case .timedOut: "timed out"
        case .unsupported: "not supported"
        case .streamEnded: "its stream had ended"
        case .malformed: "malformed answer"
        }
    }

    /// As JSON names it.
    package var word: String {
        switch self {
        case .none: "none"
        case .status: "status"
        case .succeeded: "succeeded"
        case .found: "found"
        case .count: "count"
        case .leaseExpired: "lease_expired"
        case .unmapped: "unmapped"
        case .connectionLost: "connection_lost"
        case .timedOut: "timed_out"
        case .unsupported: "unsupported"
        case .streamEnded: "stream_ended"
        case .malformed: "malformed"
        }
    }
}
