import Etcd
import Wire

/// Strings as three columns: how many bytes each shares with the start of the one before it, how many follow, and
/// those.
struct StringColumns {
    var shared: [Int64] = []
    var suffixLengths: [Int64] = []
    var suffixes: [UInt8] = []

    init() {
        shared.reserveCapacity(ColumnEncoder.reserved)
        suffixLengths.reserveCapacity(ColumnEncoder.reserved)
        suffixes.reserveCapacity(ColumnEncoder.reserved * 16)
    }

    mutating func removeAll() {
        shared.removeAll(keepingCapacity: true)
        suffixLengths.removeAll(keepingCapacity: true)
        suffixes.removeAll(keepingCapacity: true)
    }

    mutating func append(_ table: ByteTable) {
        let bytes = table.bytes.span
        var previous = 0..<0
        for number in 0..<UInt32(table.count) {
            let range = table.range(of: number + 1)
            var common = 0
            let most = min(previous.count, range.count)
            while common < most, bytes[previous.lowerBound + common] == bytes[range.lowerBound + common] { common += 1 }
            shared.append(Int64(common))
            suffixLengths.append(Int64(range.count - common))
            suffixes.append(copying: bytes.extracting(range.lowerBound + common..<range.upperBound))
            previous = range
        }
    }
}

extension ColumnDecoder {
    /// Fills an empty table with `count` strings. Fails if they are not distinct or none of them may be empty.
    mutating func readStrings(
        _ count: Int, shared: Column, suffixLength: Column, suffix: Column, into table: inout ByteTable,
        scratch: inout [UInt8]
    ) {
        let content = content(of: suffix)
        var offset = content.lowerBound
        scratch.removeAll(keepingCapacity: true)
        for number in 0..<count {
            let common = next(shared)
            let length = next(suffixLength)
            guard common >= 0, common <= scratch.count, length >= 0, length <= content.upperBound - offset,
                table.bytes.count + Int(common) + Int(length) <= TraceLimits.stringBytes
            else { return fail() }
            scratch.removeLast(scratch.count - Int(common))
            scratch.append(copying: payload.span.extracting(offset..<offset + Int(length)))
            offset += Int(length)
            guard Int(table.number(of: scratch.span)) == number + 1 else { return fail() }
        }
        if offset != content.upperBound { fail() }
    }
}
