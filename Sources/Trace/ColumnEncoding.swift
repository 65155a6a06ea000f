/// How the numbers of a column lie in its bytes. The high bit of the encoding byte says that the numbers are zigzag.
enum ColumnEncoding: UInt8 {
    /// Bytes as they are: no numbers.
    case bytes = 0
    /// Every number is the same: one varint.
    case constant = 1
    /// A varint a number.
    case varints = 2
    /// Pairs of varints: a number, and how often it comes.
    case runs = 3
    /// A width w of 1 to 8, then w planes of a byte a number: all lowest bytes, all second lowest, ...
    case planes = 4
    /// A varint n of 1 to 256, n varints, then a byte a number: which of the n it is.
    case dictionary = 5
    /// A width w of 1, 2 or 4 bits, then the numbers, lowest bits first.
    case bits = 6

    static let zigzagFlag: UInt8 = 0x80
}

/// Writes columns. Keeps its scratch arrays, so that a writer allocates them once.
struct ColumnWriter {
    private var numbers: [UInt64] = []
    private var distinct: [UInt64] = []
    private var slots: [UInt16] = Array(repeating: 0, count: 1024)
    private var histogram: [UInt32] = Array(repeating: 0, count: 256)
    private var scratch: [UInt8] = []

    /// Appends a column of numbers in the encoding that is estimated to be smallest after zstd. A column without
    /// numbers, or of nothing but zeros, is not written.
    mutating func append(_ values: [Int64], as column: Column, to bytes: inout [UInt8]) {
        if values.isEmpty { return }
        var all: UInt64 = 0
        var runs = 1
        var previous = values[0]
        for value in values {
            all |= UInt64(bitPattern: value)
            if value != previous {
                runs += 1
                previous = value
            }
        }
        if all == 0 { return }
        let isSigned = all >> 63 == 1
        var width = all
        numbers.removeAll(keepingCapacity: true)
        if isSigned {
            width = 0
            for value in values {
                let number = zigzag(value)
                width |= number
                numbers.append(number)
            }
        } else {
            numbers.append(contentsOf: values.lazy.map { UInt64(bitPattern: $0) })
        }
        scratch.removeAll(keepingCapacity: true)
        let encoding = choose(runs: runs, bitWidth: 64 - width.leadingZeroBitCount)
        write(
            encoding, byteWidth: max(1, (71 - width.leadingZeroBitCount) / 8), bitWidth: 64 - width.leadingZeroBitCount)
        appendHeader(
            column, encoding: encoding.rawValue | (isSigned ? ColumnEncoding.zigzagFlag : 0), count: values.count,
            length: scratch.count, to: &bytes)
        bytes.append(contentsOf: scratch)
    }

    /// Appends a column of bytes; nothing if there are none.
    func append(bytes content: [UInt8], as column: Column, to bytes: inout [UInt8]) {
        if content.isEmpty { return }
        appendHeader(
            column, encoding: ColumnEncoding.bytes.rawValue, count: content.count, length: content.count, to: &bytes)
        bytes.append(contentsOf: content)
    }

    private func appendHeader(_ column: Column, encoding: UInt8, count: Int, length: Int, to bytes: inout [UInt8]) {
        bytes.append(varint: UInt64(column.rawValue))
        bytes.append(encoding)
        bytes.append(varint: UInt64(count))
        bytes.append(varint: UInt64(length))
    }

    private mutating func choose(runs: Int, bitWidth: Int) -> ColumnEncoding {
        if runs == 1 { return .constant }
        let count = numbers.count
        if runs * 12 <= count { return .runs }
        if bitWidth <= 1, runs * 3 > count { return .bits }
        if bitWidth <= 8 { return .planes }
        let hasDictionary = findDistinct()
        var best = ColumnEncoding.planes
        var bestCost = 0
        for plane in 0..<(bitWidth + 7) / 8 { bestCost += planeCost(plane) }
        let varints = varintCost()
        if varints < bestCost { (best, bestCost) = (.varints, varints) }
        if hasDictionary {
            let cost = dictionaryCost()
            if cost < bestCost { (best, bestCost) = (.dictionary, cost) }
        }
        return best
    }

    private mutating func write(_ encoding: ColumnEncoding, byteWidth: Int, bitWidth: Int) {
        switch encoding {
        case .bytes: preconditionFailure("numbers are never written as bytes")
        case .constant: scratch.append(varint: numbers[0])
        case .varints: for number in numbers { scratch.append(varint: number) }
        case .runs:
            var index = 0
            while index < numbers.count {
                let start = index
                while index < numbers.count, numbers[index] == numbers[start] { index += 1 }
                scratch.append(varint: numbers[start])
                scratch.append(varint: UInt64(index - start))
            }
        case .planes:
            scratch.append(UInt8(byteWidth))
            Self.append(numbers, planes: byteWidth, to: &scratch)
        case .dictionary:
            scratch.append(varint: UInt64(distinct.count))
            for number in distinct { scratch.append(varint: number) }
            for number in numbers { scratch.append(UInt8(slots[slot(of: number)] - 1)) }
        case .bits:
            scratch.append(UInt8(bitWidth))
            var pending: UInt8 = 0
            var filled = 0
            for number in numbers {
                pending |= UInt8(truncatingIfNeeded: number) << filled
                filled += bitWidth
                if filled == 8 {
                    scratch.append(pending)
                    pending = 0
                    filled = 0
                }
            }
            if filled > 0 { scratch.append(pending) }
        }
    }

    private static func append(_ numbers: [UInt64], planes: Int, to bytes: inout [UInt8]) {
        var place = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: planes * numbers.count))
        // Through a span, which is asked only once whether it is alone.
        var span = bytes.mutableSpan
        for plane in 0..<planes {
            let shift = UInt64(8 * plane)
            for number in numbers {
                span[place] = UInt8(truncatingIfNeeded: number &>> shift)
                place += 1
            }
        }
    }

    /// Fills `distinct` and `slots`; false if there are more than 256 different numbers.
    private mutating func findDistinct() -> Bool {
        distinct.removeAll(keepingCapacity: true)
        for place in slots.indices { slots[place] = 0 }
        for number in numbers {
            let place = slot(of: number)
            if slots[place] != 0 { continue }
            if distinct.count == 256 { return false }
            distinct.append(number)
            slots[place] = UInt16(distinct.count)
        }
        return true
    }

    /// The place of the number in `slots`, or the free one where it belongs.
    private func slot(of number: UInt64) -> Int {
        var place = Int(truncatingIfNeeded: (number &* 0x9e37_79b9_7f4a_7c15) >> 54)
        while slots[place] != 0, distinct[Int(slots[place]) - 1] != number { place = (place + 1) & 1023 }
        return place
    }

    // Costs are estimates in 1/256 bit: the order-0 entropy of the bytes, which is what zstd's entropy stage comes to.

    private mutating func planeCost(_ plane: Int) -> Int {
        clearHistogram()
        Self.count(numbers, shift: UInt64(8 * plane), in: &histogram)
        return histogramCost()
    }

    private mutating func varintCost() -> Int {
        clearHistogram()
        Self.countVarints(numbers, in: &histogram)
        return histogramCost()
    }

    private static func count(_ numbers: [UInt64], shift: UInt64, in histogram: inout [UInt32]) {
        var counts = histogram.mutableSpan
        for number in numbers { counts[Int(number &>> shift & 0xff)] += 1 }
    }

    private static func countVarints(_ numbers: [UInt64], in histogram: inout [UInt32]) {
        var counts = histogram.mutableSpan
        for number in numbers {
            var rest = number
            while rest >= 0x80 {
                counts[Int(rest & 0x7f | 0x80)] += 1
                rest >>= 7
            }
            counts[Int(rest)] += 1
        }
    }

    private mutating func dictionaryCost() -> Int {
        clearHistogram()
        var cost = 0
        for number in distinct { cost += varintLength(number) * 8 * 256 }
        for number in numbers { histogram[Int(slots[slot(of: number)]) - 1] += 1 }
        return cost + histogramCost()
    }

    private mutating func clearHistogram() { for place in histogram.indices { histogram[place] = 0 } }

    private func histogramCost() -> Int {
        var total: UInt32 = 0
        for count in histogram { total += count }
        let totalLog = logarithm(total)
        var cost = 0
        for count in histogram where count > 0 {
            // A Huffman code gives every symbol at least a bit; what occurs is also named in the code's table.
            cost += Int(count) * max(128, totalLog - logarithm(count)) + 4 * 256
        }
        return cost
    }

    /// log2 in 1/256, linear between powers of two: the same on every machine.
    private func logarithm(_ value: UInt32) -> Int {
        let exponent = 31 - value.leadingZeroBitCount
        let fraction = ((UInt64(value) << 8) >> UInt64(exponent)) & 0xff
        return exponent * 256 + Int(fraction)
    }
}
