package import Wire

/// What is known of a TCP connection.
package struct TrackedConnection: Sendable, Equatable {
    package enum Start: UInt8, Sendable {
        /// A SYN or SYN-ACK was seen.
        case seen
        /// The connection was open before the recording, or its start was lost.
        case midway
    }

    package enum End: UInt8, Sendable {
        /// Still open as far as is known.
        case open
        /// FIN of both directions was seen.
        case finished
        /// RST was seen.
        case reset
    }

    /// What is known of one direction.
    package struct Flow: Sendable, Equatable {
        /// Whether the first byte handed on (or named in a gap) is the first of the connection.
        package var beginsAtStart = false
        package var payloadBytes = 0
        package var lostBytes = 0
        package var gaps = 0
    }

    /// Unique, in the order of appearance, from 0.
    package var number: Int
    package var client: Endpoint
    package var server: Endpoint
    package var start: Start
    package var end: End
    /// Of the first and of the latest packet.
    package var firstTime: CaptureTime
    package var lastTime: CaptureTime
    package var request = Flow()
    package var response = Flow()

    package var isClosed: Bool { end != .open }

    package subscript(direction: Direction) -> Flow {
        switch direction {
        case .request: request
        case .response: response
        }
    }
}
