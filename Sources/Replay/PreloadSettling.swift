import Etcd

/// Brings etcd from the state that many puts in a row leave it in to the one it serves in: a pause, a lease, a pause,
/// and the lease is revoked.
///
/// etcd 3.4 copies its read buffer for each read, at the length of the largest commit of keys (mvcc/backend,
/// ConcurrentReadTx, txReadBuffer.unsafeCopy): behind 10 000 puts that is half a megabyte, and reads take several times
/// as long. The buffer is let go by the first commit without keys (txBuffer.reset), such as that of a lease. Commits
/// come every 100 ms (`--backend-batch-interval`). A store of Kubernetes, written to all the time but by a few keys at
/// once, never is in that state.
struct PreloadSettling {
    private enum Step {
        case keysRest, grant, leaseRests, revoke, over
    }

    private var step: Step
    private(set) var isWaitingForAnswer = false
    /// When the pause is over; nil before it has begun.
    private var end: Int64?
    private var lease: Int64 = 0

    /// Two commits of etcd's and a half, nanoseconds.
    private static let pause: Int64 = 250_000_000
    /// Of the lease, where it cannot be revoked; seconds.
    private static let ttl: Int64 = 10

    init(isNeeded: Bool) { step = isNeeded ? .keysRest : .over }

    var isOver: Bool { step == .over }

    /// When to ask for the next request, if nothing is answered before.
    var due: Int64 { isOver || isWaitingForAnswer ? .max : end ?? .min }

    /// To be asked when all keys are written.
    mutating func next(into request: inout StoreRequest, at now: Int64) -> Bool {
        if isWaitingForAnswer { return false }
        if step == .keysRest || step == .leaseRests {
            let end = self.end ?? now &+ Self.pause
            self.end = end
            if now < end { return false }
            self.end = nil
            step = step == .keysRest ? .grant : .revoke
        }
        guard step == .grant || step == .revoke else { return false }
        request.removeAll()
        request.number = 0
        request.connection = 0
        request.set(step == .grant ? .leaseGrant : .leaseRevoke)
        if step == .grant { request.ttl = Self.ttl } else { request.lease = lease }
        isWaitingForAnswer = true
        return true
    }

    /// A store that does not do it stays as it is.
    mutating func receive(_ answer: borrowing StoreAnswer) {
        isWaitingForAnswer = false
        lease = answer.details.answeredLease
        let isGranted = step == .grant && answer.status == 0 && answer.note == .none && lease != 0
        step = isGranted ? .leaseRests : .over
    }
}
