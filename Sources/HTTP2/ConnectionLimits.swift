/// What one connection's reader holds at most, and how far it goes. Reaching a limit is counted, never an error.
package struct ConnectionLimits: Sendable {
    /// Bytes of one field block, over all its frames. gRPC peers allow 16 KiB of fields by default, some 1 MiB.
    package var fieldBlockBytes = 1 << 18
    /// Octets of a dynamic table that are followed (RFC 7541 §4.1). The default is 4096; large ones are set to 65 536.
    package var tableBytes = 1 << 16
    /// Bytes kept while a frame boundary is looked for: more than twelve frames of the default maximum.
    package var huntingBytes = 200_000
    /// Bytes of a segment that are looked at in one step: what is looked at again when a boundary proves wrong.
    package var huntingPiece = 16_384
    /// Places at once at which a boundary is thought possible. Random bytes pass a frame header once in 2^23.
    package var huntingCandidates = 16
    /// Segment starts remembered while hunting; more say nothing new.
    package var huntingMarks = 1024
    /// Frame headers looked at while hunting, for each byte that comes in; crafted bytes could ask for many.
    package var huntingEffort = 8
    /// Insertions that a gap may have taken for the table to be known again: 59 of the usual size turn a 4096-byte
    /// table over, so that more would no longer show.
    package var reanchoredInsertions = 60
    /// Requests that may be missing for that. Warm clients insert at most two entries a request, so that after 24 the
    /// constants cannot have been evicted and inserted again, in the same order, at a distance that looks like fewer.
    package var reanchoredStreams = 24
    /// Field sections decoded in doubt before the table is forgotten.
    package var sectionsInDoubt = 8
    /// Bytes of text that gather before what no table needs any more is dropped.
    package var textBytes = 1 << 14
    /// Bytes passed over without a frame before a connection counts as other traffic.
    package var bytesUntilOther = 4096

    package init() {}
}
