/// Judges a register of plain writes and reads whose values may be written often, some of unknown outcome: goes along
/// the calls and returns with all positions in which the register can be.
///
/// A position is the value, which reads under way have found theirs, and which writes are used up (Wing and Gong 1993;
/// just in time as Lowe 2017 does, but all positions side by side, so that none is kept once its time is over). What
/// keeps them few:
///
/// - A write takes effect in sight only where some read needs its value now, or as it returns. Whatever other writes
///   were under way at that moment may have happened just before, unseen, and need no order.
/// - Of writes of one value the one that returns first is used, and one of unknown outcome last, since it can wait.
/// - A position is dropped if another one with the same value has more behind it and less used up.
struct FrontierCheck: ~Copyable {
    enum Answer: Sendable, Equatable {
        case linearizable
        /// With the steps that were called until then.
        case violation([Int32])
        /// There was no room or no time for all positions, and those that were followed came to an end.
        case exhausted
        /// There are compare-and-set steps.
        case inapplicable
    }

    private let steps: [RegisterStep]
    private let order: StepEvents
    private let optional: OptionalSteps
    private let limits: ConsistencyLimits
    /// Words of one bit a slot.
    private let words: Int

    /// Steps of the slots, −1 where free, and which of them are writes.
    private var underWay: [Int32]
    private var writes: [UInt64]
    /// By value: its class of optional writes, −1 of none; certain reads that have not returned.
    private var classOfValue: [Int32]
    private var readsLeft: [Int32]
    /// Of each class, how many were called.
    private var called: [Int32]

    /// The positions, each a row of words: the value; a bit for each slot whose step may return; a bit for each slot
    /// whose write is used up; a count for each class of optional writes, used up.
    private var rows: [UInt64] = []
    private var next: [UInt64] = []
    private let width: Int
    private var made = 0
    /// Whether positions were dropped for want of room.
    private var isPartial = false
    // Used again and again.
    private var row: [UInt64] = []
    private var wanted: [Int32] = []

    static func judge(_ register: borrowing RegisterSteps, limits: ConsistencyLimits) -> Answer {
        for step in register.steps where step.kind == .cas || step.kind == .mismatch { return .inapplicable }
        var check = FrontierCheck(register, limits: limits)
        return check.run()
    }

    private init(_ register: borrowing RegisterSteps, limits: ConsistencyLimits) {
        steps = register.steps
        order = StepEvents(register.steps)
        optional = OptionalSteps(register.steps, order)
        self.limits = limits
        words = (order.slotCount + 63) / 64
        width = 1 + 2 * words + optional.classCount
        underWay = Array(repeating: -1, count: order.slotCount)
        writes = Array(repeating: 0, count: words)
        classOfValue = Array(repeating: -1, count: register.valueCount)
        readsLeft = Array(repeating: 0, count: register.valueCount)
        called = Array(repeating: 0, count: optional.classCount)
        for number in 0..<optional.classCount {
            classOfValue[Int(steps[optional.first(of: number)].value)] = Int32(truncatingIfNeeded: number)
        }
        for step in steps where step.kind == .read { readsLeft[Int(step.value)] += 1 }
        row = Array(repeating: 0, count: width)
        rows = row
    }

    private mutating func run() -> Answer {
        for (number, event) in order.all.enumerated() {
            let index = event >> 1
            if steps[Int(index)].isOptional {
                called[Int(optional.classOf[Int(index)])] += 1
            } else if event & 1 == 0 {
                enter(index)
            } else {
                leave(index)
                if rows.isEmpty { return isPartial ? .exhausted : .violation(calls(until: number)) }
                if made > limits.frontierSteps || rows.count > limits.positionWords { return .exhausted }
            }
        }
        return .linearizable
    }

    private func calls(until number: Int) -> [Int32] {
        order.all[...number].filter { $0 & 1 == 0 }.map { $0 >> 1 }
    }

    private mutating func enter(_ index: Int32) {
        let slot = Int(order.slotOf[Int(index)])
        let (word, bit) = (slot >> 6, UInt64(1) << UInt64(slot & 63))
        underWay[slot] = index
        if steps[Int(index)].kind == .write {
            writes[word] |= bit
            return
        }
        let value = UInt64(UInt32(bitPattern: steps[Int(index)].value))
        var start = 0
        while start < rows.count {
            if rows[start] == value { rows[start + 1 + word] |= bit }
            start += width
        }
    }

    /// What returns must have happened: positions in which it has not are those no more.
    private mutating func leave(_ index: Int32) {
        let step = steps[Int(index)]
        let slot = Int(order.slotOf[Int(index)])
        let (word, bit) = (slot >> 6, UInt64(1) << UInt64(slot & 63))
        let isWrite = step.kind == .write
        next.removeAll(keepingCapacity: true)
        // In sight a write is of use only to reads that have not returned.
        let isOfUse = isWrite && readsLeft[Int(step.value)] > 0
        // Positions that did not differ but in this step have to be compared again.
        var differ = false
        var start = 0
        while start < rows.count {
            let mayReturn = rows[start + 1 + word] & bit != 0
            let isUsed = rows[start + 1 + words + word] & bit != 0
            if isUsed != (rows[1 + words + word] & bit != 0) { differ = true }
            if !mayReturn || isOfUse && !isUsed { differ = true }
            start += width
        }
        if differ {
            start = 0
            while start < rows.count {
                let mayReturn = rows[start + 1 + word] & bit != 0
                let isUsed = rows[start + 1 + words + word] & bit != 0
                if mayReturn {
                    for place in 0..<width { row[place] = rows[start + place] }
                    add(leaving: word, bit)
                }
                if !mayReturn || isOfUse && !isUsed { follow(start, step, isWrite ? slot : -1, word, bit) }
                start += width
            }
            swap(&rows, &next)
            makeRoom()
        } else {
            start = 0
            while start < rows.count {
                rows[start + 1 + word] &= ~bit
                rows[start + 1 + words + word] &= ~bit
                start += width
            }
        }
        underWay[slot] = -1
        writes[word] &= ~bit
        if !isWrite { readsLeft[Int(step.value)] -= 1 }
    }

    /// Adds the positions that come of the one at `start` when the step's value comes about, by its own write in `slot`
    /// or by any: at once, or after other values that reads under way need.
    private mutating func follow(_ start: Int, _ step: RegisterStep, _ slot: Int, _ word: Int, _ bit: UInt64) {
        for place in 0..<width { row[place] = rows[start + place] }
        guard slot >= 0 || provider(of: step.value) != nil else { return }
        wanted.removeAll(keepingCapacity: true)
        for other in underWay.indices {
            let index = underWay[other]
            guard index >= 0, steps[Int(index)].kind == .read, row[1 + other >> 6] >> UInt64(other & 63) & 1 == 0 else {
                continue
            }
            let value = steps[Int(index)].value
            if value != step.value, !wanted.contains(value), provider(of: value) != nil { wanted.append(value) }
        }
        if wanted.count > limits.valuesAtOnce {
            isPartial = true
            wanted.removeLast(wanted.count - limits.valuesAtOnce)
        }
        for choice in 0..<1 << wanted.count {
            for place in 0..<width { row[place] = rows[start + place] }
            for number in wanted.indices where choice >> number & 1 == 1 {
                if let provider = provider(of: wanted[number]) { use(provider, wanted[number]) }
            }
            if slot >= 0 {
                use(slot, step.value)
            } else if let provider = provider(of: step.value) {
                use(provider, step.value)
            }
            made += 1
            add(leaving: word, bit)
        }
    }

    /// Which write gives the value in `row`: its slot, or −1 for one of unknown outcome; nil if there is none.
    private func provider(of value: Int32) -> Int? {
        var best: Int?
        var bestReturn = Int64.max
        for slot in underWay.indices {
            let index = underWay[slot]
            guard index >= 0 else { continue }
            let step = steps[Int(index)]
            guard step.kind == .write, step.value == value, best == nil || step.return < bestReturn,
                row[1 + words + slot >> 6] >> UInt64(slot & 63) & 1 == 0
            else { continue }
            (best, bestReturn) = (slot, step.return)
        }
        if best != nil { return best }
        let number = Int(classOfValue[Int(value)])
        return number >= 0 && row[1 + 2 * words + number] < UInt64(called[number]) ? -1 : nil
    }

    /// In `row` a write takes effect: reads under way find its value, and other writes may have come just before.
    private mutating func use(_ provider: Int, _ value: Int32) {
        if provider < 0 {
            row[1 + 2 * words + Int(classOfValue[Int(value)])] += 1
        } else {
            row[1 + words + provider >> 6] |= 1 << UInt64(provider & 63)
        }
        row[0] = UInt64(value)
        for word in 0..<words { row[1 + word] |= writes[word] }
        for slot in underWay.indices {
            let index = underWay[slot]
            if index >= 0, steps[Int(index)].kind == .read, steps[Int(index)].value == value {
                row[1 + slot >> 6] |= 1 << UInt64(slot & 63)
            }
        }
    }

    /// Adds `row` to the next positions, without the step that returns, unless another is at least as good; drops those
    /// that are not better than it.
    private mutating func add(leaving word: Int, _ bit: UInt64) {
        row[1 + word] &= ~bit
        row[1 + words + word] &= ~bit
        var start = 0
        while start < next.count {
            if next[start] != row[0] {
                start += width
                continue
            }
            var (isBetter, isWorse) = (true, true)
            for place in 1..<width {
                let (mine, other) = (row[place], next[start + place])
                if mine == other { continue }
                if place <= words {
                    if other & ~mine != 0 { isBetter = false }
                    if mine & ~other != 0 { isWorse = false }
                } else if place <= 2 * words {
                    if mine & ~other != 0 { isBetter = false }
                    if other & ~mine != 0 { isWorse = false }
                } else {
                    if mine > other { isBetter = false } else { isWorse = false }
                }
                if !isBetter, !isWorse { break }
            }
            if isWorse { return }
            if isBetter {
                let last = next.count - width
                for place in 0..<width { next[start + place] = next[last + place] }
                next.removeLast(width)
            } else {
                start += width
            }
        }
        next.append(contentsOf: row)
    }

    /// Keeps of too many positions those that have used up the fewest writes of unknown outcome, for each value as
    /// many.
    private mutating func makeRoom() {
        let count = rows.count / width
        guard count > limits.frontierPositions else { return }
        isPartial = true
        var ranks: [(used: UInt64, start: Int)] = []
        for start in stride(from: 0, to: rows.count, by: width) {
            let used = rows[(start + 1 + 2 * words)..<(start + width)].reduce(0, &+)
            ranks.append((used, start))
        }
        ranks.sort { (rows[$0.start], $0.used, $0.start) < (rows[$1.start], $1.used, $1.start) }
        next.removeAll(keepingCapacity: true)
        var seen = 0
        var chosen: [(place: Int, start: Int)] = []
        for (number, rank) in ranks.enumerated() {
            seen = number > 0 && rows[ranks[number - 1].start] == rows[rank.start] ? seen + 1 : 0
            chosen.append((seen, rank.start))
        }
        chosen.sort { ($0.place, $0.start) < ($1.place, $1.start) }
        for (_, start) in chosen.prefix(limits.frontierPositions / 2) {
            next.append(contentsOf: rows[start..<start + width])
        }
        swap(&rows, &next)
    }
}
