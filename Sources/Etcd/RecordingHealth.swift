/// Totals of a recording: what came in, and what was lost on which way. All counts from the recording's start, or, in
/// the later files of a recording in several, from where the file before ended.
///
/// Additive: the health of two recordings together is the sum of their fields.
package struct RecordingHealth: Sendable, Equatable {
    /// Stable numbers of the fields in a trace: never change or reuse one.
    package enum Field: UInt8, Sendable, CaseIterable {
        case packets = 0
        case packetBytes = 1
        /// Packets cut by a snap length.
        case packetsCut = 2
        case packetsDroppedByKernel = 3
        case packetsDroppedByInterface = 4
        /// Packets that are no TCP of a watched port.
        case packetsOfOthers = 5
        /// Packets whose link, IP or TCP header is damaged or of an unknown kind.
        case packetsUndecodable = 6
        case fragmentsJoined = 7
        case fragmentsLost = 8
        /// The capture ended within a packet, or a damaged part of it was passed over.
        case captureDamages = 9
        /// Packets that came while those before waited to be decoded and their ring was full.
        case packetsDroppedByRing = 10

        case connections = 16
        /// Connections that were open before the recording.
        case connectionsMidway = 17
        case connectionsEncrypted = 18
        case connectionsHTTP1 = 19
        case connectionsOther = 20
        case connectionsEvicted = 21
        case payloadBytes = 22
        case retransmittedBytes = 23
        case lostBytes = 24
        case gaps = 25
        /// Segments too far from what was expected of their connection.
        case segmentsStray = 26
        /// Bytes of which two copies differ.
        case overlapDiffers = 27
        /// Times that a hole was given up for want of memory.
        case heldBytesExceeded = 28

        case frames = 32
        case undecodableBytes = 33
        case resynchronizations = 34
        case tablesReanchored = 35
        case tablesForgotten = 36
        case fieldSectionsLost = 37
        /// Frames that HTTP/2 makes a connection error.
        case connectionErrors = 38
        case fieldBlocksTooLarge = 39
        case fieldBlocksMalformed = 40
        /// Table size updates beyond what was allowed.
        case sizeUpdates = 41
        /// Frames that the end of a connection or of the recording cut.
        case framesUnfinished = 42

        case messages = 48
        case messagesDamaged = 49
        case messagesUndecodable = 50
        case streamsEvicted = 51
        case observedKeysDropped = 52

        /// Connections of which TLS records were decrypted.
        case connectionsDecrypted = 56
        case tlsRecords = 57
        /// Records of decrypted connections that could not be opened.
        case tlsRecordsUnopened = 58
        /// Times that TLS records were found again behind missing bytes.
        case tlsResynchronizations = 59
        case keyLogLinesMalformed = 60
    }

    private var counts: [Int64] = Array(repeating: 0, count: 64)

    package init() {}

    package subscript(field: Field) -> Int64 {
        get { counts[Int(field.rawValue)] }
        set { counts[Int(field.rawValue)] = newValue }
    }

    /// What came since `earlier`, which are totals of the same recording.
    package static func - (total: RecordingHealth, earlier: RecordingHealth) -> RecordingHealth {
        var difference = total
        for field in Field.allCases { difference[field] &-= earlier[field] }
        return difference
    }

    package static func + (left: RecordingHealth, right: RecordingHealth) -> RecordingHealth {
        var sum = left
        for field in Field.allCases {
            let (total, overflow) = left[field].addingReportingOverflow(right[field])
            sum[field] = overflow ? (right[field] < 0 ? .min : .max) : total
        }
        return sum
    }
}
