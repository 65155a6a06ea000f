/// Judges a register whose changes have versions, each higher than those before it, in time n log n.
///
/// The versions order all that changed the key or found it; only where a read that found nothing belongs is open:
/// behind a deletion, before the first version, or wherever a client that is not in the history may have deleted the
/// key. A key that came into being at one version and was found at a later one was there in between.
struct VersionCheck: Sendable {
    enum Answer: Sendable, Equatable {
        /// `unrecorded`: versions that were found, other than the lowest, though nothing in the history wrote them.
        case linearizable(unrecorded: Int)
        /// With the operations that show it, a few.
        case violation([Int32])
    }

    private struct Version {
        var number: Int64
        var isDeletion = false
        var isWritten = false
        var isFound = false
        var firstReturn = Int64.max
        var lastCall = Int64.min
        var firstReturned: Int32 = -1
        var lastCalled: Int32 = -1
        /// The change that was called last, should several claim the version.
        var writeCall = Int64.min
        var writer: Int32 = -1
    }

    private let operations: [HistoryOperation]
    private var versions: [Version] = []
    /// How many lives begin, less how many end, at each version; summed up, whether the key was there behind it.
    private var lives: [Int32] = []

    static func judge(_ operations: [HistoryOperation]) -> Answer {
        var check = VersionCheck(operations)
        return check.judge()
    }

    private init(_ operations: [HistoryOperation]) {
        self.operations = operations
        var numbers: [Int64] = []
        for operation in operations where operation.tellsVersion {
            if operation.value > 0 { numbers.append(operation.value) }
            if operation.kind == .read, operation.expect > 0 { numbers.append(operation.expect) }
        }
        numbers.sort()
        for number in numbers where number != versions.last?.number { versions.append(Version(number: number)) }
        lives = Array(repeating: 0, count: versions.count + 1)
    }

    private mutating func judge() -> Answer {
        for (index, operation) in operations.enumerated() where operation.tellsVersion && operation.value > 0 {
            take(operation, Int32(truncatingIfNeeded: index))
        }
        var lastCall = Int64.min
        var lastCalled: Int32 = -1
        for version in versions {
            if version.firstReturn < lastCall { return .violation([lastCalled, version.firstReturned]) }
            if version.firstReturn < version.writeCall { return .violation([version.writer, version.firstReturned]) }
            if version.lastCall > lastCall { (lastCall, lastCalled) = (version.lastCall, version.lastCalled) }
        }
        if let violation = judgeAbsences() { return violation }
        let unrecorded = versions.dropFirst().count { $0.isFound && !$0.isWritten }
        return .linearizable(unrecorded: unrecorded)
    }

    private mutating func take(_ operation: HistoryOperation, _ index: Int32) {
        let place = place(of: operation.value)
        if operation.return < versions[place].firstReturn {
            (versions[place].firstReturn, versions[place].firstReturned) = (operation.return, index)
        }
        if operation.call > versions[place].lastCall || versions[place].lastCalled < 0 {
            (versions[place].lastCall, versions[place].lastCalled) = (operation.call, index)
        }
        if operation.kind == .read {
            versions[place].isFound = true
            if operation.expect > 0, operation.expect < operation.value {
                lives[self.place(of: operation.expect)] += 1
                lives[place] -= 1
            }
        } else {
            versions[place].isWritten = true
            if operation.kind == .delete { versions[place].isDeletion = true }
            if operation.call > versions[place].writeCall {
                (versions[place].writeCall, versions[place].writer) = (operation.call, index)
            }
        }
    }

    private func place(of number: Int64) -> Int {
        var (low, high) = (0, versions.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if versions[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Every read that found nothing needs a time without the key: it takes the first that it may. Times before and
    /// behind versions are numbered from 0; what stands before one must not have been called after the read returned,
    /// what stands behind it not have returned before the read was called. Both bounds only rise, so if the first time
    /// that the second bound allows breaks the first bound, all do; and of two such reads the one that ended before the
    /// other began gets no later time than that.
    private func judgeAbsences() -> Answer? {
        let count = versions.count
        // Over the versions before each time: who was called last. Over those behind it: who returned first.
        var callers = [Int32](repeating: -1, count: count + 1)
        var returners = [Int32](repeating: -1, count: count + 1)
        for time in 0..<count {
            callers[time + 1] = later(callers[time], versions[time].lastCalled)
        }
        for time in (0..<count).reversed() {
            returners[time] = earlier(returners[time + 1], versions[time].firstReturned)
        }
        // The first time from each on at which the key may have been absent; there is none after the last version's.
        var nextAbsence = [Int](repeating: count, count: count + 1)
        var living = lives.reduce(0, +)
        for time in (1..<max(count, 1)).reversed() {
            living -= lives[time]
            let mayBeAbsent = living == 0 || versions[time - 1].isDeletion
            nextAbsence[time] = mayBeAbsent ? time : nextAbsence[time + 1]
        }
        nextAbsence[0] = 0
        for (index, operation) in operations.enumerated() where operation.tellsVersion && operation.value == 0 {
            var (low, high) = (0, count)
            while low < high {
                let middle = (low + high) / 2
                let returner = returners[middle]
                if returner >= 0, operations[Int(returner)].return < operation.call {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            let time = nextAbsence[low]
            let caller = callers[time]
            if caller >= 0, operations[Int(caller)].call > operation.return {
                let before = low > 0 ? returners[low - 1] : -1
                return .violation([before, Int32(truncatingIfNeeded: index), caller].filter { $0 >= 0 })
            }
        }
        return nil
    }

    private func later(_ left: Int32, _ right: Int32) -> Int32 {
        if left < 0 || right < 0 { return max(left, right) }
        return operations[Int(right)].call > operations[Int(left)].call ? right : left
    }

    private func earlier(_ left: Int32, _ right: Int32) -> Int32 {
        if left < 0 || right < 0 { return max(left, right) }
        return operations[Int(right)].return < operations[Int(left)].return ? right : left
    }
}

extension HistoryOperation {
    /// Whether something is known from it about a register with versions.
    var tellsVersion: Bool {
        switch kind {
        case .read: outcome == .ok && `return` != Self.noReturn
        case .write, .delete: outcome == .ok && value > 0
        case .cas: false
        }
    }
}
