import Wire

/// Cuts the bytes of a stream into frames.
///
/// Bytes are held until a frame is whole, at most one frame of the longest kind and what came with its end. After an
/// error the stream has no meaning any more: the reader stays at it.
package struct ControlFrameReader: Sendable {
    private var bytes: [UInt8] = []
    /// Where the next frame begins.
    private var start = 0
    private var failure: ControlFormatError?

    package init() {}

    /// Bytes of a frame that is not whole yet.
    package var heldCount: Int { bytes.count - start }

    package mutating func receive(_ more: Span<UInt8>) {
        guard failure == nil else { return }
        if start > 0 {
            bytes.keep(only: start..<bytes.count)
            start = 0
        }
        bytes.append(copying: more)
    }

    /// The next frame, or nil if it is not whole yet.
    package mutating func next() throws(ControlFormatError) -> ControlFrame? {
        if let failure { throw failure }
        do throws(ControlFormatError) {
            guard heldCount >= 4 else { return nil }
            let count = Int(bytes.span.bigEndian32(at: start))
            guard count <= ControlFrameLimits.frameBytes else { throw .tooLong(count) }
            guard heldCount - 4 >= count else { return nil }
            let frame = try ControlFrame(bytes, start + 4..<start + 4 + count)
            start += 4 + count
            return frame
        } catch {
            failure = error
            bytes = []
            start = 0
            throw error
        }
    }
}
