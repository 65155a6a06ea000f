/// COPY_READ: a part of what a switch holds of a group.
package struct CopyRequest: Equatable, Sendable {
    /// The join it is for.
    package var ticket: JoinTicket
    /// Only what changed after this stamp; 0 for everything.
    package var since: UInt64
    /// Where the answer before ended; 0 to begin.
    package var cursor: UInt64

    package init(ticket: JoinTicket, since: UInt64, cursor: UInt64) {
        self.ticket = ticket
        self.since = since
        self.cursor = cursor
    }
}

/// Entries of a group: the answer to COPY_READ and the content of COPY_WRITE. Each replaces the whole entry.
package struct CopyEntries: Equatable, Sendable {
    /// The request's.
    package var ticket: JoinTicket
    package var keys: [KeyCopy]
    package var slots: [SlotCopy]
    /// Keys removed after `since`.
    package var removed: [ChainKey]
    /// Where to go on; nil at the end.
    package var next: UInt64?
    /// The source's change stamp when it answered. What a later copy must begin with is the first answer's.
    package var stamp: UInt64

    package init(
        ticket: JoinTicket, keys: [KeyCopy], slots: [SlotCopy], removed: [ChainKey], next: UInt64?, stamp: UInt64
    ) {
        self.ticket = ticket
        self.keys = keys
        self.slots = slots
        self.removed = removed
        self.next = next
        self.stamp = stamp
    }
}

/// A key with all its versions.
package struct KeyCopy: Equatable, Sendable {
    package var key: ChainKey
    package var width: WidthClass
    /// The committed one (NetChain: the stored one) and the uncommitted ones above it, ascending; at least one.
    package var versions: [VersionCopy]

    package init(key: ChainKey, width: WidthClass, versions: [VersionCopy]) {
        self.key = key
        self.width = width
        self.versions = versions
    }
}

/// A version with its owner, without whom a retry of the write would not be known as one.
package struct VersionCopy: Equatable, Sendable {
    package var version: ChainVersion
    package var slot: UInt32
    package var request: UInt32
    package var client: Endpoint
    /// Nil: deleted, or never written.
    package var value: [UInt8]?

    package init(version: ChainVersion, slot: UInt32, request: UInt32, client: Endpoint, value: [UInt8]?) {
        self.version = version
        self.slot = slot
        self.request = request
        self.client = client
        self.value = value
    }
}

/// What became of the last write of a client session.
package struct SlotCopy: Equatable, Sendable {
    package var slot: UInt32
    package var request: UInt32
    package var key: ChainKey
    /// The version it got; with an error, the version that the reply named.
    package var version: ChainVersion
    package var status: ChainStatus

    package init(slot: UInt32, request: UInt32, key: ChainKey, version: ChainVersion, status: ChainStatus) {
        self.slot = slot
        self.request = request
        self.key = key
        self.version = version
        self.status = status
    }
}

/// COUNTERS: what was asked of the keys of a group at one switch.
package struct CountersRequest: Equatable, Sendable {
    package var group: UInt16
    /// Where the answer before ended; 0 to begin.
    package var cursor: UInt64

    package init(group: UInt16, cursor: UInt64) {
        self.group = group
        self.cursor = cursor
    }
}

package struct KeyCounts: Equatable, Sendable {
    package struct Row: Equatable, Sendable {
        package var key: ChainKey
        package var counts: KeyHits

        package init(key: ChainKey, counts: KeyHits) {
            self.key = key
            self.counts = counts
        }
    }

    package var group: UInt16
    package var rows: [Row]
    /// Where to go on; nil at the end.
    package var next: UInt64?

    package init(group: UInt16, rows: [Row], next: UInt64?) {
        self.group = group
        self.rows = rows
        self.next = next
    }
}

/// Requests for one key that a switch handled, since the key is there.
package struct KeyHits: Equatable, BitwiseCopyable, Sendable {
    /// Reads answered from a committed version.
    package var readsClean: UInt64 = 0
    /// Reads that needed the tail.
    package var readsDirty: UInt64 = 0
    /// Writes given a version, by the head alone.
    package var writes: UInt64 = 0
    /// Writes refused, by the head alone.
    package var rejections: UInt64 = 0

    package init() {}
}
