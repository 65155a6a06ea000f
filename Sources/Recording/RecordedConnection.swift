import HTTP2
import Wire

/// Everything that the pipeline keeps of one connection: its reader, and what the trace was told of it.
struct RecordedConnection {
    let number: UInt32
    var reader: ConnectionReader
    var content = ConnectionContent.unknown
    var hasPayload = false
    /// Directions of which the reader was told how they begin.
    var requestBegun = false
    var responseBegun = false
    var userAgentWritten = false
    var isOpen = true

    init(number: UInt32, limits: RecordingLimits) {
        self.number = number
        reader = ConnectionReader(limits: limits.http2)
    }

    /// Whether that direction begins now; true once.
    mutating func begins(_ direction: Direction) -> Bool {
        switch direction {
        case .request:
            defer { requestBegun = true }
            return !requestBegun
        case .response:
            defer { responseBegun = true }
            return !responseBegun
        }
    }
}
