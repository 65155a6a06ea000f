/// How well the frames of a connection could be read. Additive.
package struct HTTP2Health: Sendable, Equatable {
    /// Frames whose header was read in step.
    package var frames = 0
    /// Bytes that are part of no frame that was read: other traffic, bytes passed over, frames cut by a gap.
    package var undecodableBytes = 0
    /// Frame boundaries found in bytes of which the boundaries were not known.
    package var resynchronizations = 0
    /// Dynamic tables that were known again after a gap.
    package var tablesReanchored = 0
    /// Dynamic tables that had to be forgotten.
    package var tablesForgotten = 0
    /// Field sections of which the frame was seen, but not the fields.
    package var fieldSectionsLost = 0
    package var oddities = HTTP2Oddities()

    package init() {}

    package static func + (left: HTTP2Health, right: HTTP2Health) -> HTTP2Health {
        var sum = left
        sum.frames &+= right.frames
        sum.undecodableBytes &+= right.undecodableBytes
        sum.resynchronizations &+= right.resynchronizations
        sum.tablesReanchored &+= right.tablesReanchored
        sum.tablesForgotten &+= right.tablesForgotten
        sum.fieldSectionsLost &+= right.fieldSectionsLost
        sum.oddities.connectionErrors &+= right.oddities.connectionErrors
        sum.oddities.fieldBlocksTooLarge &+= right.oddities.fieldBlocksTooLarge
        sum.oddities.fieldBlocksMalformed &+= right.oddities.fieldBlocksMalformed
        sum.oddities.sizeUpdates &+= right.oddities.sizeUpdates
        sum.oddities.framesUnfinished &+= right.oddities.framesUnfinished
        return sum
    }
}

/// What should not happen on a connection, counted.
package struct HTTP2Oddities: Sendable, Equatable {
    /// Frames that RFC 9113 makes a connection error; reading goes on from the next boundary found.
    package var connectionErrors = 0
    /// Field blocks above `ConnectionLimits.fieldBlockBytes`.
    package var fieldBlocksTooLarge = 0
    /// Field blocks that RFC 7541 makes a decoding error, or that fit no table known here.
    package var fieldBlocksMalformed = 0
    /// Table size updates above what the other side allowed or above `ConnectionLimits.tableBytes`.
    package var sizeUpdates = 0
    /// Frames and field blocks that the end of the connection or recording cut.
    package var framesUnfinished = 0

    package var total: Int {
        connectionErrors &+ fieldBlocksTooLarge &+ fieldBlocksMalformed &+ sizeUpdates &+ framesUnfinished
    }
}
