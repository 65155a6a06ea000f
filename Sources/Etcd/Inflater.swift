// The one file of this module that speaks to zlib, and the only one that says `unsafe`.
import CZlib

/// Inflates gzip data (RFC 1952), piece by piece into memory of the caller's.
@safe
final class Inflater {
    enum Status {
        /// The first `count` bytes of `output` are the next piece.
        case piece(count: Int)
        case end
        case malformed
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private var isBegun = false
    private var isAtEnd = false

    init() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
    }

    deinit {
        if isBegun { unsafe inflateEnd(stream) }
        unsafe stream.deallocate()
    }

    /// Begins a new stream of data. False if zlib has no memory for it.
    func begin() -> Bool {
        isAtEnd = false
        if isBegun { return unsafe inflateReset(stream) == Z_OK }
        // 16 more than the window's bits: expect gzip's header, not zlib's (zlib.h, inflateInit2).
        isBegun =
            unsafe inflateInit2_(stream, MAX_WBITS + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        return isBegun
    }

    /// Inflates the next piece of `input` from `offset` on, as much as fits into `output`, which must not be empty.
    /// Several gzip members may follow each other.
    func next(from input: Span<UInt8>, at offset: inout Int, into output: inout [UInt8]) -> Status {
        while true {
            if isAtEnd {
                if offset == input.count { return .end }
                guard unsafe inflateReset(stream) == Z_OK else { return .malformed }
                isAtEnd = false
            }
            let (status, count) = inflatePiece(of: input, at: &offset, into: &output)
            isAtEnd = status == Z_STREAM_END
            guard isAtEnd || status == Z_OK && count > 0 else { return .malformed }
            if count > 0 { return .piece(count: count) }
        }
    }

    private func inflatePiece(
        of input: Span<UInt8>, at offset: inout Int, into output: inout [UInt8]
    ) -> (status: Int32, count: Int) {
        unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                // zlib reads from next_in only; C has no const there. No pointer is left behind.
                let available = min(source.count - offset, Int(UInt32.max))
                let start = unsafe source.baseAddress.map { unsafe $0 + offset }
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
                unsafe stream.pointee.avail_in = UInt32(available)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                defer {
                    unsafe stream.pointee.next_in = nil
                    unsafe stream.pointee.next_out = nil
                }
                let status = unsafe inflate(stream, Z_NO_FLUSH)
                offset += unsafe available - Int(stream.pointee.avail_in)
                return unsafe (status, target.count - Int(stream.pointee.avail_out))
            }
        }
    }
}
