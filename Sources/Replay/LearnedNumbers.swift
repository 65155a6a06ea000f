import Etcd

/// What the target's answers gave the numbers of the recording that later requests name: revisions, leases, watches.
struct LearnedNumbers: ~Copyable, Sendable {
    private struct Learned: Sendable {
        var lease: Int64 = 0
        var watch: Int64?
    }

    /// The header revision that each call was answered; 0 for none. Empty where no patch asks for one.
    private var revisions: [Int64] = []
    /// Of each call of which a patch asks for the lease or the watch, its place in `learned`; 0 for others. Empty where
    /// there is none.
    private var places: [UInt32] = []
    private var learned: [Learned] = [Learned()]
    let preload: PreloadOutcome
    /// What was sent for each of the plan's patches, in this loop.
    private(set) var sent: [Int64]

    init(_ plan: borrowing ReplayPlan, preload: PreloadOutcome) {
        self.preload = preload
        sent = Array(repeating: 0, count: plan.patches.count)
        for place in plan.patches.indices {
            let patch = plan.patches[place]
            switch patch.source {
            case .nowhere, .revisionOfPreload, .leaseOfPreload, .constant: continue
            case .revisionOfCall, .currentRevision:
                if revisions.isEmpty { revisions = Array(repeating: 0, count: plan.calls.count) }
            case .leaseOfCall, .watchOfCall:
                if places.isEmpty { places = Array(repeating: 0, count: plan.calls.count) }
                if places[Int(patch.number)] == 0 {
                    places[Int(patch.number)] = UInt32(learned.count)
                    learned.append(Learned())
                }
            }
        }
    }

    /// Takes in an answer without an error. `sentLease` is the lease that the request named, which a Lock answers by.
    @inline(__always)
    mutating func learn(_ call: UInt32, from answer: borrowing StoreAnswer, sentLease: Int64) {
        if !revisions.isEmpty { revisions[Int(call)] = answer.details.headerRevision }
        if places.isEmpty { return }
        let place = Int(places[Int(call)])
        if place == 0 { return }
        learned[place].lease = answer.details.answeredLease == 0 ? sentLease : answer.details.answeredLease
        learned[place].watch = answer.details.watch.watchID
    }

    /// Takes in the watch that stands for a call's from now on.
    mutating func learn(watch: Int64, of call: UInt32) {
        if !places.isEmpty, places[Int(call)] != 0 { learned[Int(places[Int(call)])].watch = watch }
    }

    /// Takes in the store's current revision, which was read for a call; nil where it could not be.
    mutating func learn(current: Int64?, for call: UInt32) { revisions[Int(call)] = current ?? -1 }

    /// Whether a call names a revision for which the store's current one is to be read first.
    func needsCurrentRevision(_ call: UInt32, _ patches: ArraySlice<Patch>) -> Bool {
        patches.contains { if case .currentRevision = $0.source { revisions[Int(call)] == 0 } else { false } }
    }

    /// What to send for the patch of that place, of which the recording says `recorded`. Nil where it is not known.
    mutating func number(_ place: Int, of patch: Patch, recorded: Int64) -> Int64? {
        let base: Int64?
        switch patch.source {
        case .nowhere: base = nil
        case .constant: base = recorded
        case .revisionOfCall: base = known(revisions[Int(patch.number)])
        case .leaseOfCall: base = known(learned[Int(places[Int(patch.number)])].lease)
        case .watchOfCall: base = learned[Int(places[Int(patch.number)])].watch
        case .currentRevision:
            // No store has revisions below 1; one that could not be asked has -1.
            let current = revisions[Int(patch.number)]
            base = current > 0 ? max(current, 1 - patch.offset) : nil
        case .revisionOfPreload: base = known(preload.revisions, patch.number)
        case .leaseOfPreload: base = known(preload.leases, patch.number)
        }
        sent[place] = base.map { $0 &+ patch.offset } ?? recorded
        return base.map { $0 &+ patch.offset }
    }

    /// Revisions and lease IDs are never 0.
    private func known(_ number: Int64) -> Int64? { number == 0 ? nil : number }

    private func known(_ numbers: [Int64], _ place: UInt32) -> Int64? {
        place < numbers.count ? known(numbers[Int(place)]) : nil
    }

    /// Reads what the patch will be answered from (`Lookahead`).
    @inline(__always)
    func look(_ patch: Patch) -> UInt64 {
        guard case .revisionOfCall = patch.source else { return 0 }
        return UInt64(truncatingIfNeeded: revisions[Int(patch.number)])
    }

    /// Forgets the answers of a loop.
    mutating func reset() {
        for call in revisions.indices { revisions[call] = 0 }
        for place in learned.indices { learned[place] = Learned() }
    }
}

/// The numbers of a request that a patch may name and that stand outside its operations.
struct RequestNumbers: Sendable {
    var lease: Int64 = 0
    var revision: Int64 = 0
    var watchID: Int64 = 0
}

extension Patch.Field {
    /// How many fields there are: their raw values count from 0.
    package static let count = Int(Patch.Field.watch.rawValue) + 1
}

extension Patch {
    /// Where the number or key stands that a patch names.
    enum Place: Sendable { case own, part, compare }

    var place: Place {
        switch field {
        case .revision, .lease, .putLease, .key, .watch: .own
        case .partRevision, .partLease, .partKey: .part
        case .operand, .version, .operandLease, .operandKey: .compare
        }
    }

    /// The recorded number of the call itself; 0 for a key.
    func recorded(_ numbers: RequestNumbers, _ body: borrowing RequestOp) -> Int64 {
        switch field {
        case .revision: body.kind == .none ? numbers.revision : body.revision
        case .lease: numbers.lease
        case .putLease: body.lease
        case .watch: numbers.watchID
        default: 0
        }
    }

    /// The recorded number of an operation of a transaction; 0 for a key.
    func recorded(_ part: borrowing RequestOp) -> Int64 {
        switch field {
        case .partRevision: part.revision
        case .partLease: part.lease
        default: 0
        }
    }

    /// Puts the target's number where the recorded one of the call itself stood. Keys are not numbers: see `LeaseKey`.
    func apply(_ number: Int64, to numbers: inout RequestNumbers, _ body: inout RequestOp) {
        switch field {
        case .revision: if body.kind == .none { numbers.revision = number } else { body.revision = number }
        case .lease: numbers.lease = number
        case .putLease: body.lease = number
        case .watch: numbers.watchID = number
        default: break
        }
    }

    /// The same of an operation of a transaction.
    func apply(_ number: Int64, to part: inout RequestOp) {
        switch field {
        case .partRevision: part.revision = number
        case .partLease: part.lease = number
        default: break
        }
    }
}
