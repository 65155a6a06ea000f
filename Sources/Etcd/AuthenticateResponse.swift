import Wire

/// What a client keeps of the answer to Authenticate (rpc.proto AuthenticateResponse: 1 header, 2 token). No trace has
/// it.
package enum AuthenticateResponse {
    /// Where the token lies in a whole message; nil if there is none.
    package static func token(in message: Span<UInt8>) -> Range<Int>? {
        var token: Range<Int>?
        var scanner = WireScanner(0..<message.count)
        while scanner.next(in: message) == .field {
            if scanner.isBytes(2) { token = scanner.content }
        }
        return scanner.offset == message.count ? token : nil
    }
}
