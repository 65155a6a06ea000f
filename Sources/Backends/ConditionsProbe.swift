import Foundation
package import Replay

/// Finds out under which conditions a run on a local cluster is measured: looks at the machine and the members before
/// it and behind it.
package final class ConditionsProbe {
    private struct ProcessorTimes {
        var moment: UInt64
        /// Ticks of each member, and of this process; nil where there is none to ask.
        var members: [UInt64?]
        var own: UInt64?
    }

    private let cluster: LocalCluster
    private let load: String?
    private let buckets: [[ServerMetrics.Bucket]]
    private let before: ProcessorTimes

    /// To be made right before the run.
    package init(_ cluster: LocalCluster) {
        self.cluster = cluster
        load = SystemText.load(loadavg: SystemFile.text("/proc/loadavg"))
        // To say what they count costs members time, which is not the run's.
        buckets = Self.buckets(cluster)
        before = Self.times(cluster)
    }

    /// To be called right behind the run, while the members are there.
    package func conditions() -> RunConditions {
        let after = Self.times(cluster)
        let buckets = Self.buckets(cluster)
        let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
        var conditions = RunConditions(cores: cores, members: cluster.memberCount)
        conditions.processor = SystemText.processor(cpuinfo: SystemFile.text("/proc/cpuinfo"))
        conditions.memoryBytes = SystemText.memoryBytes(meminfo: SystemFile.text("/proc/meminfo"))
        let release = SystemFile.text("/proc/sys/kernel/osrelease").filter { !$0.isNewline }
        conditions.kernel = release.isEmpty ? nil : "Linux \(release)"
        let folder = URL(fileURLWithPath: cluster.dataFolder).resolvingSymlinksInPath().path
        let mount = SystemText.mount(of: folder, mountinfo: SystemFile.text("/proc/self/mountinfo"))
        conditions.fileSystem = mount?.fileSystem
        conditions.device = mount?.device
        conditions.store = "etcd \(cluster.version)"
        conditions.hasTLS = false
        conditions.load = load
        for member in 0..<cluster.memberCount {
            let since = ServerMetrics.differences(buckets[member], since: self.buckets[member])
            if let one = Self.fsync(of: member, since) { conditions.fsyncs.append(one) }
        }
        let ticks =
            (Double(after.moment) - Double(before.moment)) / 1e9 * Double(SystemClock.ticksPerSecond) * Double(cores)
        if ticks > 0 {
            let members = zip(before.members, after.members).map(Self.difference)
            // One that was killed took its figure with it.
            if !members.contains(nil) {
                conditions.membersBusy = Double(members.compactMap { $0 }.reduce(0, +)) / ticks
            }
            conditions.replayerBusy = Self.difference(before.own, after.own).map { Double($0) / ticks }
        }
        return conditions
    }

    private static func difference(_ before: UInt64?, _ after: UInt64?) -> UInt64? {
        guard let before, let after, after >= before else { return nil }
        return after - before
    }

    private static func fsync(
        of member: Int, _ buckets: [ServerMetrics.Bucket]
    ) -> RunConditions.Fsync? {
        guard let last = buckets.last, let count = Int(exactly: last.count), count > 0 else { return nil }
        func bound(_ share: Double) -> UInt64? {
            ServerMetrics.bound(of: share, buckets).flatMap { UInt64(exactly: ($0 * 1e9).rounded()) }
        }
        return RunConditions.Fsync(
            member: member + 1, count: count, medianAtMost: bound(0.5), p99AtMost: bound(0.99))
    }

    private static func times(_ cluster: LocalCluster) -> ProcessorTimes {
        ProcessorTimes(
            moment: MonotonicClock.now,
            members: (0..<cluster.memberCount).map { member in
                guard cluster.state(of: member) != .ended, let id = cluster.processID(of: member) else { return nil }
                return SystemText.processorTicks(stat: SystemFile.text("/proc/\(id)/stat"))
            },
            own: SystemText.processorTicks(stat: SystemFile.text("/proc/self/stat")))
    }

    private static func buckets(_ cluster: LocalCluster) -> [[ServerMetrics.Bucket]] {
        (0..<cluster.memberCount).map {
            cluster.metrics(of: $0)?.buckets("etcd_disk_wal_fsync_duration_seconds") ?? []
        }
    }
}
