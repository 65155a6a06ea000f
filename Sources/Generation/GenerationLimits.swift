/// What a generated trace may be made of at most. Beyond, it is refused: half a workload is another workload.
package struct GenerationLimits: Sendable {
    /// Copies of a trace: their clients have an address each, for every recorded one, of 198.18.0.0/15.
    package var copies = 10_000
    /// Bytes of memory of the trace that is enlarged, which is held as a whole: ten million operations or so.
    package var traceBytes = 8 << 30
    /// Distinct revisions of the trace times copies, at 16 bytes each.
    package var revisions = 1 << 28
    /// Distinct leases of the trace times copies, so that their numbers can be told apart.
    package var leases = 1 << 32
    /// Keys of a synthetic workload, at some 100 bytes each.
    package var keys = 1 << 24
    /// Operations of a synthetic workload.
    package var operations = 1 << 32
    /// Clients of a synthetic workload.
    package var clients = 10_000

    package init() {}
}

/// Why there is no such trace.
package struct GenerationError: Error, Equatable, Sendable {
    package var why: String
    package var remedy: String?

    package init(why: String, remedy: String? = nil) {
        self.why = why
        self.remedy = remedy
    }
}
