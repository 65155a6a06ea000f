package import Chains

/// What a node has seen and done since it started.
package struct NodeStatistics: Equatable, Sendable {
    /// What its machine counted.
    package var machine = SwitchCounters()
    /// Batches handed to the machine.
    package var batches = 0
    /// Datagrams longer than any format, not handed to the machine.
    package var tooLong = 0
    /// Datagrams at the fabric port from anywhere but another node's fabric port, not handed to the machine.
    package var foreignFabric = 0
    /// Datagrams beyond the node's limit of packets a second, not handed to the machine.
    package var overLimit = 0
    /// Datagrams that the system dropped before the node could take them.
    package var systemDrops = 0
    package var sends = SendCounts()
    /// Nanoseconds of processor time that its thread has had.
    package var processorTime: UInt64 = 0
    /// What ended the thread, if it was not asked to end.
    package var failure: SystemError?

    package init() {}
}

extension NodeStatistics {
    /// The numbers that go over a stream, in their order: changed, it is another version of the frames.
    private static var fields: [WritableKeyPath<NodeStatistics, Int>] {
        [
            \.machine.packetsIn, \.machine.bytesIn, \.machine.packetsOut, \.machine.bytesOut, \.machine.malformed,
            \.machine.foreign, \.machine.expired, \.machine.unroutable, \.machine.stopped, \.machine.unknownKeys,
            \.machine.readsClean, \.machine.readsDirty, \.machine.writes, \.machine.versionOverflows,
            \.machine.writesStale, \.machine.acknowledgements, \.machine.otherEpochs, \.machine.rejections,
            \.machine.resent, \.batches, \.tooLong, \.foreignFabric, \.overLimit, \.systemDrops, \.sends.sent,
            \.sends.failed, \.sends.dropped, \.sends.waits,
        ]
    }

    /// As they go over a stream.
    package func counts(of node: any ChainNode) -> NodeCounts {
        NodeCounts(
            node: node.address.address, isRunning: node.isRunning,
            counts: Self.fields.map { UInt64(clamping: self[keyPath: $0]) } + [processorTime])
    }

    /// As they came; nil: there are more or less of them.
    package init?(_ counts: [UInt64]) {
        let fields = Self.fields
        guard counts.count == fields.count + 1 else { return nil }
        self.init()
        for (field, count) in zip(fields, counts) { self[keyPath: field] = Int(clamping: count) }
        processorTime = counts[fields.count]
    }
}
