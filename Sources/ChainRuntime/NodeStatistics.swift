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
