import Wire

/// How the revisions of several copies of a recorded history become those of one: etcd has one counter, so each
/// revision of each copy gets a number of its own, in the order of the times at which they came about.
///
/// A revision came about, at the latest, when an answer or event first showed it or a later one: that is the time it
/// has here, moved by the copy's shift. Revisions from before the recording come first, whatever the shifts. Numbers
/// that no record names are left out; what counts is their order.
struct CopyRevisions {
    /// The revisions that the trace names, ascending.
    private let points: [Int64]
    /// Place in the one history of each point, copy by copy.
    private let places: [UInt32]
    /// The time of each place behind those from before the recording.
    private let times: [Int64]
    /// Places from before the recording, of all copies.
    private let pastPlaces: Int
    private let shifts: [Int64]

    /// Something that showed the store to be at a revision.
    struct Sighting {
        var revision: Int64
        var time: Int64
    }

    /// The first revision of an empty etcd is 1; the first change has 2.
    private static let firstNumber: Int64 = 2

    /// - Parameters:
    ///   - revisions: what the trace names, in any order and number; numbers below 1 mean "none".
    ///   - sightings: header revisions of answers and events with the time at which they were seen.
    ///   - start: the store's revision at the start of the recording, or one below it.
    ///   - shifts: nanoseconds that each copy comes later; not negative.
    init(
        revisions: [Int64], sightings: [Sighting], start: Int64, shifts: [Int64], limits: GenerationLimits
    ) throws(GenerationError) {
        var points: [Int64] = []
        for revision in revisions.sorted() where revision > 0 && revision != points.last { points.append(revision) }
        let (needed, overflow) = points.count.multipliedReportingOverflow(by: shifts.count)
        guard !overflow, needed <= limits.revisions else {
            throw GenerationError(
                why: "\(shifts.count) times its \(points.count) revisions are more than \(limits.revisions)")
        }
        self.points = points
        self.shifts = shifts
        let shown = Self.shownTimes(of: points, sightings)
        let past = points.prefix { $0 <= start }.count
        var places = Array(repeating: UInt32(0), count: needed)
        var next: UInt32 = 0
        for point in 0..<past {
            for copy in shifts.indices {
                places[copy * points.count + point] = next
                next += 1
            }
        }
        pastPlaces = Int(next)
        var times: [Int64] = []
        times.reserveCapacity(needed - pastPlaces)
        var heap = CopyHeap()
        var open = Array(repeating: past, count: shifts.count)
        if past < points.count {
            for copy in shifts.indices { heap.add(copy, at: shown[past].advanced(clampedBy: shifts[copy])) }
        }
        while let copy = heap.first {
            let point = open[copy]
            places[copy * points.count + point] = next
            next += 1
            times.append(shown[point].advanced(clampedBy: shifts[copy]))
            open[copy] = point + 1
            heap.replaceFirst(
                point + 1 < points.count ? shown[point + 1].advanced(clampedBy: shifts[copy]) : nil)
        }
        self.places = places
        self.times = times
    }

    /// Of each point, the first time at which it or a later one was shown; ascending.
    private static func shownTimes(of points: [Int64], _ sightings: [Sighting]) -> [Int64] {
        var times = Array(repeating: Int64.max, count: points.count)
        for sighting in sightings {
            guard let place = place(of: sighting.revision, in: points) else { continue }
            times[place] = min(times[place], sighting.time)
        }
        for place in times.indices.reversed().dropFirst() { times[place] = min(times[place], times[place + 1]) }
        return times
    }

    /// The last point at or below the revision; nil if there is none.
    private static func place(of revision: Int64, in points: [Int64]) -> Int? {
        let above = points.partitioningIndex { $0 > revision }
        return above == 0 ? nil : above - 1
    }

    /// The number in the one history of a copy's revision; what is no revision (0, −1) stays what it is.
    func number(_ revision: Int64, copy: Int) -> Int64 {
        guard revision > 0, let point = Self.place(of: revision, in: points) else { return revision }
        return Int64(places[copy * points.count + point]) + Self.firstNumber
    }

    /// The revision that the store was at when a copy saw it at `revision`, at the recorded time: at least the number
    /// of that revision, below the copy's next one, and with what other copies had changed by then.
    func number(_ revision: Int64, copy: Int, seenAt time: Int64) -> Int64 {
        guard revision > 0, let point = Self.place(of: revision, in: points) else { return revision }
        let row = copy * points.count
        var low = Int(places[row + point])
        var high = point + 1 < points.count ? Int(places[row + point + 1]) : pastPlaces + times.count
        let time = time.advanced(clampedBy: shifts[copy])
        // The last place below `high` that had come about by then; the first one is known to have.
        while high - low > 1 {
            let middle = (low + high) / 2
            if middle < pastPlaces || times[middle - pastPlaces] <= time { low = middle } else { high = middle }
        }
        return Int64(low) + Self.firstNumber
    }
}

extension Int64 {
    /// Clamped at the ends of time.
    func advanced(clampedBy nanoseconds: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(nanoseconds)
        return overflow ? (nanoseconds > 0 ? .max : .min) : sum
    }
}
