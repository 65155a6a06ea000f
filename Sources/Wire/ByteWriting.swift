// Every store wider than a byte of the whole package. Bounds are checked before each unchecked access.

extension Array<UInt8> {
    /// Stores `value` big-endian in the two bytes at `offset`. Precondition: they lie inside.
    @inlinable public mutating func storeBigEndian16(_ value: UInt16, at offset: Int) {
        precondition(offset >= 0 && offset <= count - 2, "a 16-bit store must lie inside the bytes")
        unsafe withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
        }
    }

    /// Stores `value` big-endian in the four bytes at `offset`. Precondition: they lie inside.
    @inlinable public mutating func storeBigEndian32(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset <= count - 4, "a 32-bit store must lie inside the bytes")
        unsafe withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
        }
    }

    /// Stores `value` big-endian in the eight bytes at `offset`. Precondition: they lie inside.
    @inlinable public mutating func storeBigEndian64(_ value: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset <= count - 8, "a 64-bit store must lie inside the bytes")
        unsafe withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
        }
    }

    /// Stores `value` big-endian in the sixteen bytes at `offset`. Precondition: they lie inside.
    @inlinable public mutating func storeBigEndian128(_ value: UInt128, at offset: Int) {
        storeBigEndian64(UInt64(truncatingIfNeeded: value >> 64), at: offset)
        storeBigEndian64(UInt64(truncatingIfNeeded: value), at: offset + 8)
    }

    /// Copies `span` over the bytes from `offset` on. Precondition: it fits.
    @inlinable public mutating func overwrite(from offset: Int, with span: Span<UInt8>) {
        precondition(offset >= 0 && span.count <= count - offset, "a copy must lie inside the bytes")
        unsafe withUnsafeMutableBytes { destination in
            unsafe span.withUnsafeBytes { source in
                guard let from = source.baseAddress, let to = destination.baseAddress else { return }
                unsafe (to + offset).copyMemory(from: from, byteCount: source.count)
            }
        }
    }

    /// Appends `byteCount` zero bytes and answers where they begin. Allocates only where the capacity is used up.
    @inlinable public mutating func appendZeros(_ byteCount: Int) -> Int {
        let start = count
        append(contentsOf: repeatElement(0, count: byteCount))
        return start
    }
}
