/// The names of the header-table entries that a connection's requests used for `:path` and of which the text was not
/// seen: inserted before the recording, or in a gap. A name of an entry is a name of all its calls, before and after.
///
/// Every call leaves a set of methods that fit it; the sets of an entry's calls are intersected. What is left holds
/// whatever the order of the calls. Entries of different epochs are unrelated.
struct EntryNames: Sendable {
    /// What of a request's fields names its `:path`: the entry, or, as long as the client's order of fields is not
    /// known, the two that may be it. The other one is `:authority`, which does not change.
    struct Place: Sendable, Equatable {
        var epoch: UInt32
        var entry: Int64
        /// `none` where it is certain.
        var other = none

        static let none = Int64.min
    }

    struct Entry: Sendable {
        var place: Place
        var candidates = MethodSet.all
        /// Calls whose shape was taken in.
        var calls = 0
        var likelihood = Likelihood()
        var name: MethodNumber?
        var inference = Inference.none
        /// No method is left: the table was not what it seemed, or the client is none that is known.
        var isContradicted = false
        /// The first and last request of the connection that used it, counted from 0.
        var firstUse: Int
        var lastUse: Int
        /// The calls that wait for the name: slots of the pool, and streams.
        var waiting: [(slot: Int32, stream: UInt32)] = []
    }

    private(set) var entries: [Entry] = []
    private let limit: Int
    /// The newest entry of each method of which a literal was seen.
    private var insertions: [(method: MethodNumber, epoch: UInt32, entry: Int64)] = []
    /// Where `:path` and `:method` stand in a field section, −1 as long as not seen.
    private var pathPlace = -1
    private var methodPlace = -1
    /// The encoder inserted a path that it had: its entries say less.
    private(set) var hasDuplicates = false
    private var requests = 0

    init(limit: Int) { self.limit = limit }

    /// Takes over the memory of one that is of no use any more.
    mutating func takeMemory(of old: inout EntryNames) {
        old.entries.removeAll(keepingCapacity: true)
        swap(&entries, &old.entries)
        old.insertions.removeAll(keepingCapacity: true)
        swap(&insertions, &old.insertions)
    }

    var isEmpty: Bool { entries.isEmpty }

    // MARK: - What requests show

    /// A request whose `:path` is known, at `place` of its fields, as the entry of that number.
    mutating func see(_ method: MethodNumber, epoch: UInt32, entry: Int64?, place: Int, methodPlace: Int) {
        requests += 1
        pathPlace = place
        self.methodPlace = methodPlace
        guard let entry else { return }
        for index in insertions.indices where insertions[index].method == method {
            if insertions[index].epoch != epoch || insertions[index].entry < entry {
                insertions[index] = (method, epoch, entry)
            } else if insertions[index].entry > entry {
                // The older entry is used after the newer was inserted.
                hasDuplicates = true
            }
            return
        }
        insertions.append((method, epoch, entry))
    }

    /// Where the path stands in sections of which `:method` stands at `place`; −1 if that was not seen.
    func knownPathPlace(methodPlace place: Int) -> Int { place == methodPlace ? pathPlace : -1 }

    /// A request that used those entries; the index of its entry, nil if no more are followed.
    mutating func use(_ place: Place) -> Int? {
        requests += 1
        let index: Int
        if let known = entries.firstIndex(where: { $0.place.isSame(as: place) }) {
            index = known
            entries[index].lastUse = requests
        } else {
            guard entries.count < limit else { return nil }
            index = entries.count
            entries.append(Entry(place: place, firstUse: requests, lastUse: requests))
        }
        if entries[index].name == nil { excludeInserted(index) }
        return index
    }

    /// Encoders look their table up before they insert: an entry that is used after another was inserted for a method
    /// is not that method's.
    private mutating func excludeInserted(_ index: Int) {
        guard !hasDuplicates else { return }
        let place = entries[index].place
        for insertion in insertions
        where insertion.epoch == place.epoch && insertion.entry > max(place.entry, place.other)
            && insertion.method != .uncatalogued
        {
            entries[index].candidates.remove(MethodSet(insertion.method))
        }
    }

    // MARK: - What calls leave

    /// Takes in the methods that fit a call of the entry. Returns whether any entry's name was found or refuted.
    mutating func take(_ candidates: MethodSet, at index: Int) -> Bool {
        entries[index].calls += 1
        if entries[index].isContradicted { return false }
        if let name = entries[index].name, candidates.contains(MethodSet(name)) { return false }
        entries[index].candidates.formIntersection(candidates)
        excludeNamed(index)
        if entries[index].candidates.isEmpty {
            entries[index].isContradicted = true
            entries[index].name = nil
            return true
        }
        return settle(index, .entry)
    }

    /// Adds a call's evidence of likelihood.
    mutating func weigh(_ change: Likelihood, at index: Int) { entries[index].likelihood.add(change) }

    /// Allows only the methods of a closed set, where that leaves any.
    mutating func close(_ index: Int, to set: MethodSet) {
        guard entries[index].name == nil, !entries[index].isContradicted else { return }
        let left = entries[index].candidates.intersection(set)
        guard !left.isEmpty else { return }
        entries[index].candidates = left
        _ = settle(index, .closedSet)
    }

    /// Decides an undecided entry by likelihood, if one method leads far enough.
    mutating func decideByLikelihood(_ index: Int) {
        guard entries[index].name == nil, !entries[index].isContradicted,
            let name = entries[index].likelihood.leader(
                among: entries[index].candidates, calls: entries[index].calls)
        else { return }
        entries[index].name = name
        entries[index].inference = .likelihood
    }

    mutating func wait(_ slot: Int, stream: UInt32, at index: Int) {
        entries[index].waiting.append((Int32(slot), stream))
    }

    /// The calls that wait for the entry, which are then the caller's.
    mutating func takeWaiting(_ index: Int) -> [(slot: Int32, stream: UInt32)] {
        let waiting = entries[index].waiting
        entries[index].waiting = []
        return waiting
    }

    private mutating func settle(_ index: Int, _ inference: Inference) -> Bool {
        guard let name = entries[index].candidates.only else { return false }
        entries[index].name = name
        entries[index].inference = inference == .entry && entries[index].calls == 1 ? .shape : inference
        excludeFromOthers(name, index, inference)
        return true
    }

    /// The same, for an entry of which a call ended after the others got their names.
    private mutating func excludeNamed(_ index: Int) {
        guard !hasDuplicates else { return }
        for other in entries.indices where other != index && entries[other].lived(with: entries[index]) {
            guard let name = entries[other].name else { continue }
            let left = entries[index].candidates.subtracting(MethodSet(name))
            if !left.isEmpty { entries[index].candidates = left }
        }
    }

    /// A table holds a path once: two entries that were in it at the same time are of different methods.
    private mutating func excludeFromOthers(_ name: MethodNumber, _ index: Int, _ inference: Inference) {
        guard !hasDuplicates else { return }
        for other in entries.indices where other != index && entries[other].name == nil {
            guard !entries[other].isContradicted, entries[other].calls > 0, entries[other].lived(with: entries[index])
            else { continue }
            let left = entries[other].candidates.subtracting(MethodSet(name))
            guard left != entries[other].candidates, !left.isEmpty else { continue }
            entries[other].candidates = left
            _ = settle(other, inference == .closedSet ? .closedSet : .entry)
        }
    }
}

extension EntryNames.Place {
    /// Whether it is the same entry, when one of the two is known better.
    fileprivate func isSame(as place: EntryNames.Place) -> Bool {
        guard epoch == place.epoch else { return false }
        if other == place.other { return entry == place.entry }
        if place.other == Self.none { return place.entry == entry || place.entry == other }
        return other == Self.none && (entry == place.entry || entry == place.other)
    }
}

extension EntryNames.Entry {
    /// Whether both were in the table at some time. Those of before the epoch were so when it began.
    fileprivate func lived(with other: EntryNames.Entry) -> Bool {
        guard place.epoch == other.place.epoch else { return false }
        if place.entry < 0, other.place.entry < 0 { return true }
        return firstUse <= other.lastUse && other.firstUse <= lastUse
    }
}
