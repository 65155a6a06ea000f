/// Something that the server's side of a connection said. A fixed-size value: bytes and texts lie where it says.
package struct ClientEvent: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        /// The server's first SETTINGS: it speaks HTTP/2.
        case ready
        /// The field section that begins a response; `httpStatus` is its `:status`.
        case response
        /// `bytes` of the input are the next of the stream's DATA.
        case data
        /// The server ended the stream: `grpcStatus` and `text`, where there are trailers. The stream is no more.
        case end
        /// The stream was reset by the server with `code`, or from here where the server broke a rule on it
        /// (`failure`). The stream is no more.
        case reset
        /// The server says that it did nothing for this stream and ends the connection (RFC 9113 §6.8), or refuses
        /// the stream (§8.7). It is no more.
        case refused
        /// The server opens nothing more on this connection: `code`, and its debug text in `text`.
        case goAway
        /// The connection is no more, and every stream on it: `code` was sent, `failure` says why.
        case failed
    }

    package var kind: Kind
    /// What the stream was opened with.
    package var tag: UInt32 = 0
    package var stream: UInt32 = 0
    package var failure = ClientFailure.none
    /// 0 where there was no field section.
    package var httpStatus: UInt16 = 0
    /// `noStatus` where the trailers have none.
    package var grpcStatus: UInt32 = ClientEvent.noStatus
    package var code = ErrorCode.noError
    package var bytes = 0..<0
    /// `grpc-message`, percent-encoded, or a debug text: in the connection's `text`, until the next `receive`.
    package var text = 0..<0

    package static let noStatus = UInt32.max

    init(_ kind: Kind) { self.kind = kind }

    init(_ kind: Kind, _ stream: ClientStream) {
        self.kind = kind
        self.tag = stream.tag
        self.stream = stream.id
    }
}

/// What the server did that it may not.
package enum ClientFailure: UInt8, Sendable, CaseIterable {
    case none
    case notHTTP2, frameTooLong, frameMalformed, frameNotAllowed, frameOnIdleStream, continuationMissing
    case settingNotAllowed, windowOverflow, windowExceeded, windowUpdateOfNothing
    case fieldBlockTooLong, fieldBlockUnreadable, statusMissing, dataBeforeResponse, trailersWithoutEnd

    /// As the end of a sentence that names the server.
    package var text: String {
        switch self {
        case .none: "did nothing wrong"
        case .notHTTP2: "does not speak HTTP/2 here"
        case .frameTooLong: "sent a frame of more than 16384 bytes"
        case .frameMalformed: "sent a frame of a length that its type cannot have"
        case .frameNotAllowed: "sent a frame that it may not send here"
        case .frameOnIdleStream: "sent a frame on a stream that was not opened"
        case .continuationMissing: "began a field block and did not go on with it"
        case .settingNotAllowed: "sent a setting with a value that it cannot have"
        case .windowOverflow: "raised a flow-control window beyond 2147483647"
        case .windowExceeded: "sent more data than its flow-control window allows"
        case .windowUpdateOfNothing: "raised a flow-control window by nothing"
        case .fieldBlockTooLong: "sent a longer field block than is accepted"
        case .fieldBlockUnreadable: "sent a field block that cannot be decoded"
        case .statusMissing: "sent a response without a status"
        case .dataBeforeResponse: "sent data before the response began"
        case .trailersWithoutEnd: "went on after trailers"
        }
    }
}
