/// Which way bytes of a connection go. The client is the side that does not own the watched port.
public enum Direction: UInt8, Sendable, CaseIterable {
    /// From the client to the server.
    case request = 0
    /// From the server to the client.
    case response = 1

    @inlinable public var opposite: Direction {
        switch self {
        case .request: .response
        case .response: .request
        }
    }
}
