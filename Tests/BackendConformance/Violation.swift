/// Something that a backend owes its driver and did not do.
package struct Violation: Hashable, Sendable, CustomStringConvertible {
    package var rule: Rule
    /// What was seen instead.
    package var seen: String

    package var description: String { "\(rule.rawValue): \(rule.sentence); seen: \(seen)" }

    /// What the suite holds; each can be broken alone.
    package enum Rule: String, Sendable, CaseIterable {
        // The loop.
        case thread, turn, clock, sleep, wake, end
        // Requests and answers.
        case answered, once, number, times, waiting, order, unsupported
        // The store.
        case status, revision, twice, range, count, delete, transaction, bytes
        // Leases.
        case lease, leaseEnd, leaseUnknown, keepAlive
        // Watches.
        case watch, streamOrder, event, cancel, endStream

        package var sentence: String {
            switch self {
            case .thread: "all of a run is called on one thread"
            case .turn: "`turn` is called before `next` after every sleep"
            case .clock: "the clock never goes back, and `turn` is told no time that is still to come"
            case .sleep: "a driver that has nothing due is left alone until `nextDue`"
            case .wake: "`turn` is called at `nextDue`, if nothing is answered before"
            case .end: "`run` returns once the driver is done, and calls it no more"
            case .answered: "every request gets an answer"
            case .once: "every request gets one answer only"
            case .number: "an answer carries the number of a request of this run"
            case .times: "asked <= sent <= firstByte <= done <= now"
            case .waiting: "no answer is waited for before the next request is taken"
            case .order: "the calls of a connection are sent in their order"
            case .unsupported: "what is not supported is not sent, and has a status"
            case .status: "the store does what it is asked, with status 0"
            case .revision: "each write's answer has a later revision than the one before"
            case .twice: "nothing is sent twice"
            case .range: "a range finds what was put: key, size of the value, revisions, version, lease"
            case .count: "a range counts the keys and names them in their order"
            case .delete: "a delete counts what it removed"
            case .transaction: "a transaction answers with its branch and the operations of it, in their order"
            case .bytes: "the bytes of messages are counted, values among them"
            case .lease: "a granted lease has a number, and tells its time"
            case .leaseEnd: "with a lease that is revoked its keys go"
            case .leaseUnknown: "a lease that is none is answered with status 5 and etcd's text"
            case .keepAlive: "a keep-alive is answered with its lease and the time left"
            case .watch: "a watch is answered when it is created, and only then hears"
            case .streamOrder: "the messages of a stream reach the store in their order"
            case .event: "an event names its stream, watch, key and the revision of the write"
            case .cancel: "a cancelled watch is answered so, and hears no more"
            case .endStream: "the end of a stream is answered like a request, and is no event of its own"
            }
        }
    }
}
