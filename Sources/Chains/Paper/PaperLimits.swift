/// What bounds the paper variants.
package struct PaperLimits: Sendable {
    /// Words of a NetChain list, its end included: its parser extracts no more, so a chain has at most nine nodes.
    package static let listWords = 10
    /// Keys a switch has registers for, as in NetChain's source.
    package static let keys = 4096
    /// Cells of a key. The listing of NetCRAQ names NUMBER_OF_VERSIONS and gives it no value.
    package static let versions = 1...64
    /// Rules of one NetChain switch, which are tried one after the other: three a failed node for each of 100 virtual
    /// groups, the most that NSDI 2018 §8 evaluates, and some.
    package static let failureRules = 1024
    /// Nodes of a NetCRAQ chain: one write makes an acknowledgement for each, and a frame's time to live is 64.
    package static let nodes = 64
}
