import CZlib

/// gzip members (RFC 1952), decompressed by zlib.
@safe final class GzipStream: Decompressor {
    /// zlib keeps a pointer to its stream, so that must stay where it is.
    private let stream: UnsafeMutablePointer<z_stream>
    private var hasEnded = false

    /// Whether a file that begins with these bytes (big-endian) is a gzip member compressed by "deflate".
    static func recognises(_ magic: UInt32) -> Bool {
        magic >> 8 == 0x1f8b08
    }

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 is the largest window, 32 KiB; 16 says that the format is gzip.
        let result = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib must accept its own version and have memory for a window")
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    func decompress(
        _ source: [UInt8], _ input: Range<Int>, into storage: inout [UInt8], from offset: Int
    ) -> DecompressionStep {
        if hasEnded {
            guard source[input.lowerBound] == 0x1f else {
                return DecompressionStep(used: 0, made: 0, outcome: .trailingBytes)
            }
            unsafe inflateReset(stream)
            hasEnded = false
        }
        let (result, used, made) = inflatePart(source, input, into: &storage, from: offset)
        let outcome: DecompressionStep.Outcome
        switch result {
        case Z_STREAM_END:
            hasEnded = true
            outcome = .ended
        // Z_BUF_ERROR says that nothing could be done now, which is no error.
        case Z_OK, Z_BUF_ERROR: outcome = .more
        default: outcome = .damaged(message(of: result))
        }
        return DecompressionStep(used: used, made: made, outcome: outcome)
    }

    private func inflatePart(
        _ source: [UInt8], _ input: Range<Int>, into storage: inout [UInt8], from offset: Int
    ) -> (result: Int32, used: Int, made: Int) {
        unsafe source.withUnsafeBufferPointer { source in
            unsafe storage.withUnsafeMutableBufferPointer { storage in
                let from = unsafe UnsafeBufferPointer(rebasing: source[input])
                let room = unsafe UnsafeMutableBufferPointer(rebasing: storage[offset...])
                let available = UInt32(clamping: from.count)
                let space = UInt32(clamping: room.count)
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: from.baseAddress)
                unsafe stream.pointee.avail_in = available
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = space
                let result = unsafe inflate(stream, Z_NO_FLUSH)
                let used = unsafe Int(available - stream.pointee.avail_in)
                let made = unsafe Int(space - stream.pointee.avail_out)
                return (result, used, made)
            }
        }
    }

    private func message(of result: Int32) -> String {
        guard let text = unsafe stream.pointee.msg else { return "zlib error \(result)" }
        return unsafe String(cString: text)
    }
}
