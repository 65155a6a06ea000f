import CZstd

/// zstd frames (RFC 8878), decompressed by libzstd.
@safe final class ZstdStream: Decompressor {
    private let context: OpaquePointer
    private var hasEnded = false

    /// Whether a file that begins with these bytes (big-endian) is a zstd or a skippable frame.
    static func recognises(_ magic: UInt32) -> Bool {
        magic == 0x28b5_2ffd || magic & 0xf0ff_ffff == 0x502a_4d18
    }

    /// `windowLog` bounds the memory: a frame that needs a window of more than 2^windowLog bytes is refused.
    init(windowLog: Int32) {
        guard let context = unsafe ZSTD_createDCtx() else { preconditionFailure("out of memory") }
        unsafe self.context = context
        let result = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog)
        precondition(ZSTD_isError(result) == 0, "the window limit must be one that libzstd knows")
    }

    deinit {
        _ = unsafe ZSTD_freeDCtx(context)
    }

    func decompress(
        _ source: [UInt8], _ input: Range<Int>, into storage: inout [UInt8], from offset: Int
    ) -> DecompressionStep {
        var used = 0
        var made = 0
        let wasEnded = hasEnded
        let result = unsafe source.withUnsafeBytes { source in
            unsafe storage.withUnsafeMutableBytes { storage in
                let from = unsafe UnsafeRawBufferPointer(rebasing: source[input])
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: storage[offset...])
                var input = unsafe ZSTD_inBuffer(src: from.baseAddress, size: from.count, pos: 0)
                var output = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                let result = unsafe ZSTD_decompressStream(context, &output, &input)
                used = unsafe input.pos
                made = unsafe output.pos
                return result
            }
        }
        if ZSTD_isError(result) == 0 {
            hasEnded = result == 0
            return DecompressionStep(used: used, made: made, outcome: hasEnded ? .ended : .more)
        }
        return DecompressionStep(used: used, made: made, outcome: outcome(ofError: result, afterEnd: wasEnded))
    }

    private func outcome(ofError result: Int, afterEnd: Bool) -> DecompressionStep.Outcome {
        switch ZSTD_getErrorCode(result) {
        case ZSTD_error_frameParameter_windowTooLarge: .windowTooLarge
        case ZSTD_error_prefix_unknown where afterEnd: .trailingBytes
        default: .damaged(unsafe String(cString: ZSTD_getErrorName(result)))
        }
    }
}
