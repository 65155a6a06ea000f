/// The calls and returns of the steps of one register, in their order, and a place for each step while it is under way.
struct StepEvents: Sendable {
    /// Step × 2, + 1 for the return. At one time calls come first: intervals are closed.
    let all: [Int32]
    /// Where each certain step stands while it is under way, −1 for optional ones, which never leave. Depends on the
    /// events alone.
    let slotOf: [Int32]
    /// Slots there are: certain steps that are under way at once, at most.
    let slotCount: Int

    init(_ steps: [RegisterStep]) {
        var events: [Int32] = []
        events.reserveCapacity(steps.count * 2)
        for (index, step) in steps.enumerated() {
            events.append(Int32(truncatingIfNeeded: index * 2))
            if step.return != HistoryOperation.noReturn { events.append(Int32(truncatingIfNeeded: index * 2 + 1)) }
        }
        func time(_ event: Int32) -> Int64 {
            let step = steps[Int(event >> 1)]
            return event & 1 == 0 ? step.call : step.return
        }
        events.sort { (time($0), $0 & 1, $0) < (time($1), $1 & 1, $1) }
        all = events

        var places = [Int32](repeating: -1, count: steps.count)
        var free: [Int32] = []
        var count: Int32 = 0
        for event in events where !steps[Int(event >> 1)].isOptional {
            let index = Int(event >> 1)
            if event & 1 == 1 {
                free.append(places[index])
            } else if let slot = free.popLast() {
                places[index] = slot
            } else {
                places[index] = count
                count += 1
            }
        }
        slotOf = places
        slotCount = Int(count)
    }
}

/// The optional steps of one register, those that are alike together: from its call on one is as good as another.
struct OptionalSteps: Sendable {
    /// The class of each step, −1 of certain ones.
    let classOf: [Int32]
    /// Steps of each class in the order of their calls: `members[starts[class]..<starts[class + 1]]`.
    private let members: [Int32]
    private let starts: [Int]
    /// Of each class, how many were called, and how many have a place: the first ones.
    var called: [Int32]
    var used: [Int32]

    init(_ steps: [RegisterStep], _ events: StepEvents) {
        var classOf = [Int32](repeating: -1, count: steps.count)
        let inOrder = events.all.map { $0 >> 1 }.filter { steps[Int($0)].isOptional }
        func key(_ index: Int32) -> (UInt8, Int32, Int32) {
            let step = steps[Int(index)]
            return (step.kind.rawValue, step.value, step.expect)
        }
        // Those of one class stay in the order of their calls.
        let places = inOrder.indices.sorted { left, right in
            let (one, two) = (key(inOrder[left]), key(inOrder[right]))
            return one == two ? left < right : one < two
        }
        let members = places.map { inOrder[$0] }
        var starts: [Int] = []
        for (place, index) in members.enumerated() {
            if place == 0 || key(members[place - 1]) != key(index) { starts.append(place) }
            classOf[Int(index)] = Int32(truncatingIfNeeded: starts.count - 1)
        }
        called = Array(repeating: 0, count: starts.count)
        used = called
        self.starts = starts + [members.count]
        self.members = members
        self.classOf = classOf
    }

    var classCount: Int { called.count }

    /// The first step of a class, which is like all others of it.
    func first(of number: Int) -> Int { Int(members[starts[number]]) }

    /// Whether it is the only step of its class.
    func isSingle(_ number: Int) -> Bool { starts[number + 1] - starts[number] == 1 }

    /// The step of a class that gets a place next; −1 if all that were called have one.
    func next(of number: Int) -> Int32 {
        used[number] < called[number] ? members[starts[number] + Int(used[number])] : -1
    }
}
