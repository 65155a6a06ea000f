/// Where Algorithm 1 of NetCRAQ leaves a choice.
package struct NetCRAQPaperOptions: Equatable, Sendable {
    /// What `write_index` is after lines 28 and 32. Line 19 must leave 1: otherwise line 18 always holds, and no write
    /// is ever dirty.
    package enum Reset: UInt8, BitwiseCopyable, Sendable {
        /// "Indices are reset" (§IV.C), to 0: the next write takes line 19, overwrites the only committed copy, and is
        /// read before it is committed.
        case toZero = 0
        /// As line 19 leaves it: one definition of clean_write for its three uses.
        case toOne = 1
    }

    /// Which nodes take writes from clients.
    package enum Entry: UInt8, BitwiseCopyable, Sendable {
        /// The rule of chain replication (§II.A).
        case head
        /// Algorithm 1 does not look at the role of the node that a write comes to.
        case any
    }

    /// Which keys have index registers.
    package enum IndexSize: UInt8, BitwiseCopyable, Sendable {
        /// One a key, as the text needs it.
        case keys
        /// `NUMBER_OF_VERSIONS`, as lines 2 and 3 declare them: keys from that number on have none, and what is asked
        /// of them is dropped.
        case versions
    }

    /// NUMBER_OF_VERSIONS: cells of a key, 1 to 64. Not published.
    package var versions = 8
    package var reset = Reset.toOne
    package var entry = Entry.head
    package var indexSize = IndexSize.keys
    /// Whether the writer is in the tail's multicast group. The paper has no write reply: without this one a writer
    /// learns nothing.
    package var acknowledgesClient = true
    /// Whether a clean node answers a dirty read that passes it on its way to the tail. Not said.
    package var answersEnRoute = false

    package init() {}
}
