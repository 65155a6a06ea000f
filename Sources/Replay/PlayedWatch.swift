/// A watch that the plan creates on a stream, as it goes in the current loop.
struct PlayedWatch: Sendable {
    enum State: UInt8, Sendable {
        /// Its creation was sent, and is not answered.
        case asked
        /// The store has it, under `watchID`.
        case stands
        /// It went with its connection, and is to be created again.
        case gone
        /// Its creation was sent again, and is not answered.
        case askedAnew
        /// It was cancelled by client or store, or refused.
        case over
    }

    /// The call of the plan that creates it.
    let call: UInt32
    var state = State.asked
    /// The request that creates it again.
    var number: UInt32 = 0
    /// The target's.
    var watchID: Int64 = 0
    /// The revision from which it is to be created again: at first the one that was asked for, then behind all that it
    /// has heard. 0 for the store's present.
    private(set) var start: Int64
    /// The store's revision when it was created; 0 where that does not matter any more.
    private var created: Int64 = 0

    init(call: UInt32, start: Int64) {
        self.call = call
        self.start = start
    }

    /// The store has created it, at that revision: one that was to begin at the present has missed nothing until then.
    mutating func stand(as watchID: Int64, at revision: Int64) {
        state = .stands
        self.watchID = watchID
        created = revision
        if start == 0 { hear(through: revision) }
    }

    /// All its events up to that revision were heard.
    mutating func hear(through revision: Int64) {
        if revision > 0, revision < .max { start = max(start, revision + 1) }
    }

    /// The same, said of all watches of its stream. Older etcds say it of those too whose past is still on its way
    /// (etcd issue 15220): of a watch that has not come to where it was created, it is believed the second time.
    mutating func hearProgress(through revision: Int64) {
        if start > created { hear(through: revision) } else { created = 0 }
    }
}
