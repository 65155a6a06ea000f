/// What one step of a decompressor did.
struct DecompressionStep {
    enum Outcome: Equatable {
        /// More can come: the input is used up or the output is full.
        case more
        /// A frame or member ended, and nothing of a next one has been read.
        case ended
        /// Bytes behind the end of a frame or member that do not begin another.
        case trailingBytes
        /// The stream is damaged; the library's words.
        case damaged(String)
        /// zstd: the frame needs a larger window than is allowed.
        case windowTooLarge
    }

    /// Compressed bytes that were used.
    var used: Int
    /// Bytes that were written.
    var made: Int
    var outcome: Outcome
}

/// A stream of frames (zstd) or members (gzip), one behind the other, decompressed piece by piece.
protocol Decompressor: AnyObject {
    /// Decompresses `input` of `source` into `storage` from `offset` to its end.
    func decompress(
        _ source: [UInt8], _ input: Range<Int>, into storage: inout [UInt8], from offset: Int
    ) -> DecompressionStep
}
