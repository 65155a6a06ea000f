/// Which way bytes of a connection go. The client is the side that does not own the watched port.
package enum Direction: UInt8, Sendable, CaseIterable {
    /// From the client to the server.
    case request = 0
    /// From the server to the client.
    case response = 1

    @inlinable package var opposite: Direction {
        switch self {
        case .request: .response
        case .response: .request
        }
    }

    /// What the compiler would make of it, but inlined in other modules too.
    @inlinable package static func == (left: Direction, right: Direction) -> Bool {
        switch (left, right) {
        case (.request, .request), (.response, .response): true
        case (.request, .response), (.response, .request): false
        }
    }
}
