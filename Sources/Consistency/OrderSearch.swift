/// Looks for an order of the operations of one register in which each finds what it found, whatever was written how
/// often: exact, in time that may grow exponentially with how many operations are under way at once.
///
/// After Wing and Gong 1993, with Lowe's memory of visited positions and his just-in-time order (Lowe 2017): the search
/// walks along the calls and returns, and orders operations only when one returns that has no place yet. What finds its
/// value now is placed at once, since that never bars anything. A value that some operation must still find, and that
/// none will write again, is not overwritten.
struct OrderSearch: ~Copyable {
    enum Answer: Sendable { case linearizable, violation, exhausted }

    private let steps: [RegisterStep]
    private let events: [Int32]
    private let limits: ConsistencyLimits

    private var nextEvent = 0
    private var state: Int32 = 0
    private var isPlaced: [Bool]
    /// Certain steps under way, −1 where free. Which has which place depends on the events alone, so that positions
    /// can be compared.
    private var underWay: [Int32]
    private let slotOf: [Int32]
    private var optional: OptionalSteps
    /// Values that something under way must or may find next: marked by the number of the listing.
    private var wanted: [Int32]
    private var listing: Int32 = 0
    /// Certain steps without a place that must find each value, and steps without a place that write it.
    private var finders: [Int32]
    private var writers: [Int32]

    /// Steps in the order in which they got their places.
    private var placed: [Int32] = []
    /// A choice that can be taken back: what is next, and where everything stood.
    private struct Choice {
        var event: Int
        var state: Int32
        var placedCount: Int
        /// The steps that may be placed next, `candidates[first...]`; those before `next` were tried.
        var first: Int
        var next: Int
    }
    private var choices: [Choice] = []
    private var candidates: [Int32] = []
    private var visited: PositionSet
    private var key: [UInt64] = []

    private init(_ register: borrowing RegisterSteps, limits: ConsistencyLimits) {
        steps = register.steps
        self.limits = limits
        let order = StepEvents(register.steps)
        events = order.all
        slotOf = order.slotOf
        optional = OptionalSteps(register.steps, order)
        isPlaced = Array(repeating: false, count: steps.count)
        underWay = Array(repeating: -1, count: order.slotCount)
        wanted = Array(repeating: 0, count: register.valueCount)
        finders = Array(repeating: 0, count: register.valueCount)
        writers = Array(repeating: 0, count: register.valueCount)
        for step in steps {
            if step.found >= 0, !step.isOptional { finders[Int(step.found)] += 1 }
            if step.writes { writers[Int(step.value)] += 1 }
        }
        visited = PositionSet(limits: limits)
    }

    static func judge(_ register: borrowing RegisterSteps, limits: ConsistencyLimits) -> Answer {
        var search = OrderSearch(register, limits: limits)
        return search.run()
    }

    private mutating func run() -> Answer {
        while true {
            if let forced = goOn() {
                guard let isNew = visit() else { return .exhausted }
                if isNew { open(forced) }
            } else {
                return .linearizable
            }
            if !choose() { return .violation }
        }
    }

    /// Walks on to a return of a step without a place, and gives that step; nil at the end of the history.
    private mutating func goOn() -> Int32? {
        while nextEvent < events.count {
            let index = events[nextEvent] >> 1
            if events[nextEvent] & 1 == 0, steps[Int(index)].isOptional {
                optional.called[Int(optional.classOf[Int(index)])] += 1
            } else if events[nextEvent] & 1 == 0 {
                underWay[Int(slotOf[Int(index)])] = index
                if finds(steps[Int(index)]) { place(index) }
            } else {
                if !isPlaced[Int(index)] { return index }
                underWay[Int(slotOf[Int(index)])] = -1
            }
            nextEvent += 1
        }
        return nil
    }

    /// Whether a step that changes nothing finds what it found.
    private func finds(_ step: RegisterStep) -> Bool {
        switch step.kind {
        case .read: step.value == state
        case .mismatch: step.value != state
        case .write, .cas: false
        }
    }

    private mutating func place(_ index: Int32) {
        let step = steps[Int(index)]
        isPlaced[Int(index)] = true
        placed.append(index)
        if step.isOptional { optional.used[Int(optional.classOf[Int(index)])] += 1 }
        if step.found >= 0, !step.isOptional { finders[Int(step.found)] -= 1 }
        if step.writes { writers[Int(step.value)] -= 1 }
    }

    private mutating func unplace(_ index: Int32) {
        let step = steps[Int(index)]
        isPlaced[Int(index)] = false
        if step.isOptional { optional.used[Int(optional.classOf[Int(index)])] -= 1 }
        if step.found >= 0, !step.isOptional { finders[Int(step.found)] += 1 }
        if step.writes { writers[Int(step.value)] += 1 }
    }

    /// Remembers the position; false if it was visited before, nil if there is no room.
    private mutating func visit() -> Bool? {
        key.removeAll(keepingCapacity: true)
        key.append(UInt64(truncatingIfNeeded: nextEvent) << 32 | UInt64(UInt32(bitPattern: state)))
        var word: UInt64 = 0
        for slot in underWay.indices {
            let index = underWay[slot]
            // Which step has which slot follows from the event.
            if index >= 0, isPlaced[Int(index)] { word |= 1 << UInt64(slot & 63) }
            if slot & 63 == 63 || slot == underWay.count - 1 {
                key.append(word)
                word = 0
            }
        }
        // A bit for each optional step that is like no other; of alike ones only how many have a place counts.
        var bit: UInt64 = 1
        for number in 0..<optional.classCount where optional.isSingle(number) {
            if optional.used[number] > 0 { word |= bit }
            bit <<= 1
            if bit == 0 {
                key.append(word)
                (word, bit) = (0, 1)
            }
        }
        if bit > 1 { key.append(word) }
        for number in 0..<optional.classCount where optional.used[number] > 0 && !optional.isSingle(number) {
            key.append(UInt64(number) << 32 | UInt64(UInt32(bitPattern: optional.used[number])))
        }
        return visited.insert(key)
    }

    /// Lists what may be placed next: what most likely helps the step that must be, last, since the last is tried
    /// first.
    private mutating func open(_ forced: Int32) {
        let first = candidates.count
        let found = steps[Int(forced)].found
        let mismatches = markWanted()
        for slot in underWay.indices {
            let index = underWay[slot]
            if index < 0 || index == forced || isPlaced[Int(index)] || !mayPlace(index) { continue }
            candidates.append(index)
        }
        for number in 0..<optional.classCount {
            let index = optional.next(of: number)
            if index >= 0, isOfUse(steps[Int(index)], mismatches), mayPlace(index) { candidates.append(index) }
        }
        let steps = steps
        candidates[first...].sort { Self.isBetter($1, than: $0, found, steps) }
        if steps[Int(forced)].writes, mayPlace(forced) { candidates.append(forced) }
        choices.append(
            Choice(event: nextEvent, state: state, placedCount: placed.count, first: first, next: candidates.count))
    }

    /// Of two candidates the one that gives what must be found is better; else the one that must be placed first.
    private static func isBetter(
        _ left: Int32, than right: Int32, _ found: Int32, _ steps: [RegisterStep]
    ) -> Bool {
        let (one, two) = (steps[Int(left)], steps[Int(right)])
        if (one.value == found) != (two.value == found) { return one.value == found }
        return (one.return, left) < (two.return, right)
    }

    /// Marks the values that steps under way would find; says whether there are mismatches among them, all of which
    /// are with the present value.
    private mutating func markWanted() -> Bool {
        listing += 1
        var mismatches = false
        for index in underWay where index >= 0 && !isPlaced[Int(index)] {
            let step = steps[Int(index)]
            if step.found >= 0 { wanted[Int(step.found)] = listing }
            if step.kind == .mismatch { mismatches = true }
        }
        for number in 0..<optional.classCount {
            let index = optional.next(of: number)
            if index >= 0, steps[Int(index)].kind == .cas { wanted[Int(steps[Int(index)].expect)] = listing }
        }
        return mismatches
    }

    /// Whether the step may come next.
    private func mayPlace(_ index: Int32) -> Bool {
        let step = steps[Int(index)]
        switch step.kind {
        case .read, .mismatch: return false
        case .cas: if step.expect != state { return false }
        case .write: break
        }
        if step.value != state, writers[Int(state)] == 0 {
            let own: Int32 = step.kind == .cas && !step.isOptional ? 1 : 0
            if finders[Int(state)] > own { return false }
        }
        return true
    }

    /// An optional step can wait, for ever if need be, until something that finds its value is under way too.
    private func isOfUse(_ step: RegisterStep, _ mismatches: Bool) -> Bool {
        wanted[Int(step.value)] == listing || mismatches && step.value != state
    }

    /// Takes the next candidate of the last choice that has one left; false if none has.
    private mutating func choose() -> Bool {
        while let choice = choices.last {
            takeBack(to: choice)
            if choice.next == choice.first {
                candidates.removeLast(candidates.count - choice.first)
                choices.removeLast()
                continue
            }
            choices[choices.count - 1].next -= 1
            let index = candidates[choice.next - 1]
            place(index)
            state = steps[Int(index)].value
            for other in underWay {
                if other >= 0, !isPlaced[Int(other)], finds(steps[Int(other)]) { place(other) }
            }
            return true
        }
        return false
    }

    private mutating func takeBack(to choice: Choice) {
        while nextEvent > choice.event {
            nextEvent -= 1
            let index = events[nextEvent] >> 1
            if steps[Int(index)].isOptional {
                optional.called[Int(optional.classOf[Int(index)])] -= 1
            } else {
                underWay[Int(slotOf[Int(index)])] = events[nextEvent] & 1 == 0 ? -1 : index
            }
        }
        while placed.count > choice.placedCount { unplace(placed.removeLast()) }
        state = choice.state
    }
}

/// Positions of a search: rows of words, each once. Whole rows are compared, never hashes alone.
private struct PositionSet: Sendable {
    private var words: [UInt64] = []
    /// Where each row begins.
    private var starts: [Int] = [0]
    private var slots = [UInt32](repeating: 0, count: 256)
    private let limits: ConsistencyLimits

    init(limits: ConsistencyLimits) { self.limits = limits }

    /// False if the row was there; nil if there is no room for it.
    mutating func insert(_ row: [UInt64]) -> Bool? {
        var place = Self.hash(row[...]) & (slots.count - 1)
        while slots[place] != 0 {
            let number = Int(slots[place])
            if words[starts[number - 1]..<starts[number]].elementsEqual(row) { return false }
            place = (place + 1) & (slots.count - 1)
        }
        guard starts.count <= limits.positions, words.count + row.count <= limits.positionWords else { return nil }
        words.append(contentsOf: row)
        starts.append(words.count)
        slots[place] = UInt32(starts.count - 1)
        if starts.count * 2 > slots.count { grow() }
        return true
    }

    private static func hash(_ row: ArraySlice<UInt64>) -> Int {
        var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
        for word in row {
            hash = (hash ^ word) &* 0xbf58_476d_1ce4_e5b9
            hash ^= hash >> 29
        }
        return Int(truncatingIfNeeded: hash ^ hash >> 32)
    }

    private mutating func grow() {
        slots = Array(repeating: 0, count: slots.count * 4)
        for number in 1..<starts.count {
            var place = Self.hash(words[starts[number - 1]..<starts[number]]) & (slots.count - 1)
            while slots[place] != 0 { place = (place + 1) & (slots.count - 1) }
            slots[place] = UInt32(number)
        }
    }
}
