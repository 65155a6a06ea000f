import Etcd

/// The arrays of a batch that slices name.
enum SliceKind: Int {
    case parts = 0
    case compares = 1
    case keyValues = 2
}

// Fields of the types that records have, over the coder's numbers.
extension BatchCodec {
    mutating func code(
        _ value: inout Int64, predicted: Int64, _ column: Column, _ mask: inout UInt64, _ bit: UInt64
    ) {
        coder.field(&value, predicted: predicted, column, mask: &mask, bit: bit)
    }

    mutating func code(
        _ value: inout UInt32, predicted: UInt32, _ column: Column, _ mask: inout UInt64, _ bit: UInt64
    ) {
        var wide = Int64(value)
        coder.field(&wide, predicted: Int64(predicted), column, mask: &mask, bit: bit)
        value = narrowed(wide)
    }

    mutating func narrowed(_ value: Int64) -> UInt32 {
        guard let narrow = UInt32(exactly: value) else {
            coder.fail()
            return 0
        }
        return narrow
    }

    /// A number of `timeUnit`s.
    mutating func code(scaled value: inout Int64, _ column: Column) {
        var units = Coder.encodes && timeUnit > 1 ? value / timeUnit : value
        coder.number(&units, column)
        if !Coder.encodes { value = units &* timeUnit }
    }

    /// A moment after an operation's time.
    mutating func code(
        time value: inout Int64, isPresent: Bool, predicted: Int64, _ column: Column, _ mask: inout UInt64,
        _ bit: UInt64
    ) {
        if !isPresent {
            value = Operation.absent
            return
        }
        var units = value &- predicted
        if Coder.encodes, timeUnit > 1 { units /= timeUnit }
        coder.field(&units, predicted: 0, column, mask: &mask, bit: bit)
        if !Coder.encodes { value = predicted &+ units &* timeUnit }
    }

    /// A key number. Where it is not as predicted, its column holds 0 for "no key", and for others how far they are
    /// behind the newest key met: 1 for the next new one, 2 for the newest, ...; numbers beyond the next one negative.
    mutating func code(
        key: inout KeyNumber, predicted: KeyNumber, _ column: Column, _ mask: inout UInt64, _ bit: UInt64
    ) {
        let next = Int64(newestKey) + 1
        var number: Int64 = 0
        if Coder.encodes, key != predicted {
            number = key == 0 ? 0 : Int64(key) > next ? -Int64(key) : next + 1 - Int64(key)
            // Never equal to "as predicted", whatever the number is.
            mask |= 1 << bit
            coder.number(&number, column)
        } else if !Coder.encodes {
            if mask >> bit & 1 == 0 {
                key = predicted
            } else {
                coder.number(&number, column)
                let (absolute, overflow) = (next + 1).subtractingReportingOverflow(number)
                let value = number == 0 ? 0 : number == .min || overflow ? -1 : number < 0 ? -number : absolute
                key = narrowed(value)
            }
            if Int(key) > counts.keys {
                coder.fail()
                key = 0
            }
        }
        newestKey = max(newestKey, key)
    }

    /// The number of a text.
    mutating func code(
        text: inout TextNumber, predicted: TextNumber, _ column: Column, _ mask: inout UInt64, _ bit: UInt64
    ) {
        code(&text, predicted: predicted, column, &mask, bit)
        if Int(text) > counts.texts {
            coder.fail()
            text = 0
        }
    }

    /// Consecutive elements of one of the batch's arrays. A slice that is not empty is expected to begin where the
    /// last ended.
    mutating func code(
        _ slice: inout Slice, of kind: SliceKind, predictedCount: UInt32, _ countColumn: Column, _ startColumn: Column,
        _ mask: inout UInt64, _ bit: UInt64
    ) {
        let total =
            switch kind {
            case .parts: counts.parts
            case .compares: counts.compares
            case .keyValues: counts.keyValues
            }
        code(&slice.count, predicted: predictedCount, countColumn, &mask, bit)
        code(&slice.start, predicted: slice.count == 0 ? 0 : expected[kind.rawValue], startColumn, &mask, bit + 1)
        if slice.count == 0 { return }
        named[kind.rawValue] += Int(slice.count)
        let isNamedTwice = !Coder.encodes && named[kind.rawValue] > total
        if Int(slice.start) + Int(slice.count) > total || isNamedTwice {
            coder.fail()
            slice = Slice()
            return
        }
        expected[kind.rawValue] = slice.start + slice.count
    }

    func end(of slice: Slice) -> Int { slice.count == 0 ? 0 : Int(slice.start) + Int(slice.count) }
}
