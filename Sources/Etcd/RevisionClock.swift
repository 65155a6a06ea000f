/// When each cluster first showed how high a revision to anybody (ResponseHeader: 1 cluster_id, 3 revision).
///
/// By the times of capture, not by the order in which answers are read: a hole holds one direction up while the other
/// goes on. An answer that is read late adds nothing, so what is said to have been shown has been.
struct RevisionClock: Sendable {
    /// Clusters in one recording that are followed, and new revisions of each: several seconds of a busy one.
    static let clusterLimit = 16
    static let revisionLimit = 4_096

    private struct Cluster {
        var identifier: UInt64
        var highest: Int64 = 0
        /// A ring, with its next place.
        var shown: [(time: Int64, revision: Int64)] = []
        var next = 0
    }

    private var clusters: [Cluster] = []

    /// The highest revision that was shown before that time, in nanoseconds; 0 if none was, or it is too long ago.
    func shown(before time: Int64, by cluster: UInt64) -> Int64 {
        for known in clusters where known.identifier == cluster {
            // From the newest on: revisions ascend.
            var step = 1
            while step <= known.shown.count {
                let entry = known.shown[(known.next + 2 * known.shown.count - step) % known.shown.count]
                if entry.time < time { return entry.revision }
                step += 1
            }
        }
        return 0
    }

    /// Whether, at that time, the revision was the next after the highest that had been shown, as a write's is. The
    /// answer itself is one that has shown it.
    func isNext(_ revision: Int64, at time: Int64, by cluster: UInt64) -> Bool {
        for known in clusters where known.identifier == cluster {
            var step = 1
            while step <= known.shown.count {
                let entry = known.shown[(known.next + 2 * known.shown.count - step) % known.shown.count]
                if entry.revision < revision { return entry.revision == revision - 1 }
                if entry.time < time { return false }
                step += 1
            }
        }
        return false
    }

    @inline(__always)
    mutating func show(_ revision: Int64, by cluster: UInt64, at time: Int64) {
        for index in clusters.indices where clusters[index].identifier == cluster {
            if revision > clusters[index].highest { raise(index, revision, at: time) }
            return
        }
        guard clusters.count < Self.clusterLimit else { return }
        clusters.append(Cluster(identifier: cluster))
        raise(clusters.count - 1, revision, at: time)
    }

    private mutating func raise(_ index: Int, _ revision: Int64, at time: Int64) {
        clusters[index].highest = revision
        if clusters[index].shown.count < Self.revisionLimit {
            clusters[index].shown.append((time, revision))
            clusters[index].next = clusters[index].shown.count % Self.revisionLimit
        } else {
            clusters[index].shown[clusters[index].next] = (time, revision)
            clusters[index].next = (clusters[index].next + 1) % Self.revisionLimit
        }
    }
}
