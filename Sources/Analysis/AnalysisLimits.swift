/// What an analysis keeps at most. Reaching a limit is counted and shown (`WorkloadReport.Dropped`), never silent.
package struct AnalysisLimits: Sendable {
    /// Bytes of distinct keys. A large cluster has some hundred thousand keys of about 80 bytes; a table of keys
    /// cannot hold more than 4 GiB.
    package var keyBytes = 1 << 30
    /// Distinct keys: short ones take more memory for their counts, 50 bytes each, than for themselves.
    package var keys = 1 << 24
    /// Distinct transaction patterns. Kubernetes has three; a client that makes up shapes must not fill the memory.
    package var patterns = 16_384
    /// Bytes of one pattern, as counted internally: the shape of some hundred alternating operations.
    package var patternBytes = 4_096
    /// Distinct names of methods that are not etcd's.
    package var uncataloguedMethods = 1_024
    /// Distinct value sizes from 64 KiB on; further ones are rounded down to 4 KiB in the median.
    package var largeValueSizes = 1 << 20

    package init() {}
}
