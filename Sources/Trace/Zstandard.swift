import CZstd

/// Compression of a block's payload, the one file that calls libzstd.
@safe struct Zstandard: ~Copyable {
    private let compressor: OpaquePointer?
    private let decompressor: OpaquePointer?

    private let level: Int32

    /// `level` 0 compresses nothing.
    init(level: Int32 = TraceLimits.recommendedLevel) {
        self.level = level
        unsafe compressor = ZSTD_createCCtx()
        unsafe decompressor = ZSTD_createDCtx()
        unsafe precondition(compressor != nil && decompressor != nil, "zstd needs memory for its contexts")
        _ = unsafe ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, level)
    }

    deinit {
        _ = unsafe ZSTD_freeCCtx(compressor)
        _ = unsafe ZSTD_freeDCtx(decompressor)
    }

    /// Appends one frame that holds `bytes`. At each of `boundaries` (offsets, ascending) a zstd block ends, so that
    /// what is alike shares an entropy table and what is not does not. False if nothing is compressed.
    func compress(_ bytes: [UInt8], boundaries: [Int], into output: inout [UInt8]) -> Bool {
        if level == 0 { return false }
        _ = unsafe ZSTD_CCtx_reset(compressor, ZSTD_reset_session_only)
        _ = unsafe ZSTD_CCtx_setPledgedSrcSize(compressor, UInt64(bytes.count))
        let bound = ZSTD_compressBound(bytes.count) + 64 * (boundaries.count + 1)
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: bound))
        var isWhole = false
        var written = 0
        unsafe bytes.withUnsafeBytes { source in
            unsafe output.withUnsafeMutableBytes { target in
                unsafe (written, isWhole) = compress(
                    source, boundaries, into: UnsafeMutableRawBufferPointer(rebasing: target[start...]))
            }
        }
        output.removeLast(bound - written)
        return isWhole
    }

    private func compress(
        _ source: UnsafeRawBufferPointer, _ boundaries: [Int], into target: UnsafeMutableRawBufferPointer
    ) -> (Int, Bool) {
        var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
        var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: 0, pos: 0)
        for end in boundaries + [source.count] {
            unsafe input.size = end
            let directive = end == source.count ? ZSTD_e_end : ZSTD_e_flush
            let left = unsafe ZSTD_compressStream2(compressor, &output, &input, directive)
            if left != 0 { return unsafe (output.pos, false) }
            if end == source.count { break }
        }
        return unsafe (output.pos, true)
    }

    /// Fills `output` with the frame's `count` bytes. False if it does not hold exactly so many; `output` is then of no
    /// meaning.
    func decompress(_ frame: Span<UInt8>, count: Int, into output: inout [UInt8]) -> Bool {
        output.removeAll(keepingCapacity: true)
        output.append(contentsOf: repeatElement(0, count: count))
        let result = unsafe frame.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBytes { target in
                unsafe ZSTD_decompressDCtx(
                    decompressor, target.baseAddress, target.count, source.baseAddress, source.count)
            }
        }
        return ZSTD_isError(result) == 0 && result == count
    }
}
