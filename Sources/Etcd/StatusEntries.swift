/// Entries of a server's header table whose text was not seen and that are known to say `grpc-status: 0`.
///
/// A server that has sent the whole answer of a unary call ends it with status 0 (gRPC over HTTP/2, "Responses"), so
/// that the entry that stands for the status then does so everywhere. Server tables hardly ever turn over: what was
/// inserted before the recording is never sent as text again.
struct StatusEntries: Sendable {
    /// More are not to be expected: an encoder inserts a field once.
    private static let limit = 8

    private var succeeded: [PendingCall.StatusEntry] = []

    mutating func learn(_ entry: PendingCall.StatusEntry) {
        if !succeeded.contains(entry), succeeded.count < Self.limit { succeeded.append(entry) }
    }

    func isSuccess(_ entry: PendingCall.StatusEntry) -> Bool { succeeded.contains(entry) }
}
