import Etcd
import HTTP2
import Packets
import TLSRecords

// How the decoders' own counts become the recording's.

extension RecordingHealth {
    mutating func take(_ tracker: TrackerHealth) {
        self[.packets] = Int64(tracker.packets)
        self[.packetBytes] = Int64(tracker.packetBytes)
        self[.packetsCut] = Int64(tracker.packetsCut)
        self[.packetsOfOthers] = Int64(tracker.packetsOfOthers)
        self[.packetsUndecodable] = Int64(tracker.packetsUndecodable + tracker.packetsOfUnknownLink)
        self[.fragmentsJoined] = Int64(tracker.fragmentsJoined)
        self[.fragmentsLost] = Int64(tracker.fragmentsLost)
        self[.connections] = Int64(tracker.connections)
        self[.connectionsMidway] = Int64(tracker.connectionsMidway)
        self[.connectionsEvicted] = Int64(tracker.connectionsEvicted)
        self[.payloadBytes] = Int64(tracker.payloadBytes)
        self[.retransmittedBytes] = Int64(tracker.retransmittedBytes)
        self[.lostBytes] = Int64(tracker.lostBytes)
        self[.gaps] = Int64(tracker.gaps)
        self[.segmentsStray] = Int64(tracker.straySegments)
        self[.overlapDiffers] = Int64(tracker.overlapDiffers)
        self[.heldBytesExceeded] = Int64(tracker.heldBytesExceeded)
    }

    mutating func take(_ decryption: Decryption.Totals) {
        self[.connectionsDecrypted] = Int64(decryption.connections)
        self[.tlsRecords] = Int64(decryption.health.records)
        self[.tlsRecordsUnopened] = Int64(decryption.health.recordsUnopened)
        self[.tlsResynchronizations] = Int64(decryption.health.resynchronizations)
    }

    mutating func take(_ http2: HTTP2Health) {
        self[.frames] = Int64(http2.frames)
        self[.undecodableBytes] = Int64(http2.undecodableBytes)
        self[.resynchronizations] = Int64(http2.resynchronizations)
        self[.tablesReanchored] = Int64(http2.tablesReanchored)
        self[.tablesForgotten] = Int64(http2.tablesForgotten)
        self[.fieldSectionsLost] = Int64(http2.fieldSectionsLost)
        self[.connectionErrors] = Int64(http2.oddities.connectionErrors)
        self[.fieldBlocksTooLarge] = Int64(http2.oddities.fieldBlocksTooLarge)
        self[.fieldBlocksMalformed] = Int64(http2.oddities.fieldBlocksMalformed)
        self[.sizeUpdates] = Int64(http2.oddities.sizeUpdates)
        self[.framesUnfinished] = Int64(http2.oddities.framesUnfinished)
    }

    mutating func take(_ calls: CallHealth) {
        self[.messages] = Int64(calls.messages)
        self[.messagesDamaged] = Int64(calls.messagesDamaged)
        self[.messagesUndecodable] = Int64(calls.messagesUndecodable)
        self[.streamsEvicted] = Int64(calls.streamsEvicted)
    }

    mutating func take(_ contents: ContentCounts) {
        self[.connectionsEncrypted] = Int64(contents.tls)
        self[.connectionsHTTP1] = Int64(contents.http1)
        self[.connectionsOther] = Int64(contents.other)
    }
}

extension ConnectionRecord.Content {
    init(_ content: ConnectionContent) {
        switch content {
        case .unknown: self = .unknown
        case .http2: self = .http2
        case .tls: self = .tls
        case .http1: self = .http1
        case .other: self = .other
        }
    }
}
