// Every load wider than a byte, and every bulk move of bytes, of the whole package. Bounds are checked before each
// unchecked access; callers never see a pointer.

extension Span<UInt8> {
    /// The big-endian 16-bit number at `offset`. Precondition: two bytes lie there.
    @inlinable public func bigEndian16(at offset: Int) -> UInt16 {
        precondition(offset >= 0 && offset <= count - 2, "a 16-bit load must lie inside the bytes")
        return unsafe UInt16(bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
    }

    /// The big-endian 24-bit number at `offset`. Precondition: three bytes lie there.
    @inlinable public func bigEndian24(at offset: Int) -> UInt32 {
        UInt32(bigEndian16(at: offset)) << 8 | UInt32(self[offset + 2])
    }

    /// The big-endian 32-bit number at `offset`. Precondition: four bytes lie there.
    @inlinable public func bigEndian32(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset <= count - 4, "a 32-bit load must lie inside the bytes")
        return unsafe UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
    }

    /// The big-endian 64-bit number at `offset`. Precondition: eight bytes lie there.
    @inlinable public func bigEndian64(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8, "a 64-bit load must lie inside the bytes")
        return unsafe UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// The big-endian 128-bit number at `offset`. Precondition: sixteen bytes lie there.
    @inlinable public func bigEndian128(at offset: Int) -> UInt128 {
        UInt128(bigEndian64(at: offset)) << 64 | UInt128(bigEndian64(at: offset + 8))
    }

    @inlinable public func littleEndian16(at offset: Int) -> UInt16 { bigEndian16(at: offset).byteSwapped }
    @inlinable public func littleEndian32(at offset: Int) -> UInt32 { bigEndian32(at: offset).byteSwapped }
    @inlinable public func littleEndian64(at offset: Int) -> UInt64 { bigEndian64(at: offset).byteSwapped }

    /// Whether both spans hold the same bytes.
    @inlinable public func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var offset = 0
        while offset + 8 <= count {
            if bigEndian64(at: offset) != other.bigEndian64(at: offset) { return false }
            offset += 8
        }
        if offset == count { return true }
        // The last eight bytes, some of them once more.
        if count >= 8 { return bigEndian64(at: count - 8) == other.bigEndian64(at: count - 8) }
        while offset < count {
            if self[offset] != other[offset] { return false }
            offset += 1
        }
        return true
    }

    /// A 64-bit hash of the bytes. The same in every process for the same seed; with `HashSeed.process`, nobody can
    /// choose bytes that meet in a table.
    @inlinable public func hash64(seed: UInt64 = 0) -> UInt64 {
        let factor = HashSeed.factor(seed)
        var state = seed ^ (UInt64(truncatingIfNeeded: count) &* 0x9e37_79b9_7f4a_7c15)
        var offset = 0
        while offset + 8 <= count {
            state = HashSeed.mixed(state ^ littleEndian64(at: offset), factor)
            offset += 8
        }
        var tail: UInt64 = 0
        if count >= 8 {
            // The last eight bytes, some of them once more: the length, which tells how many, is in the state.
            if offset < count { tail = littleEndian64(at: count - 8) }
        } else {
            while offset < count {
                tail = tail << 8 | UInt64(self[offset])
                offset += 1
            }
        }
        return HashSeed.mixed(state ^ tail, factor)
    }

    /// A copy of the bytes.
    @inlinable public func copied() -> [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension Array<UInt8> {
    /// Appends a copy of `span`.
    @inlinable public mutating func append(copying span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Moves the bytes of `range` to the front. What lay there is overwritten, the count stays as it is.
    @inlinable public mutating func moveToFront(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "the range must lie inside the bytes")
        guard range.lowerBound > 0, !range.isEmpty else { return }
        unsafe withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe base.copyMemory(from: base + range.lowerBound, byteCount: range.count)
        }
    }

    /// Moves the bytes of `range` to the front and drops the rest; keeps the capacity.
    @inlinable public mutating func keep(only range: Range<Int>) {
        moveToFront(range)
        removeLast(count - range.count)
    }
}
