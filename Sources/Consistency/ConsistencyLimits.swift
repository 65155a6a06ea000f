/// What reading and judging a history may take.
package struct ConsistencyLimits: Sendable {
    /// Operations of one history, 48 bytes each: 3.2 GB.
    package var operations = 1 << 26
    /// Bytes of one line of a history: a value and a key of etcd's largest request, escaped.
    package var lineBytes = 16 << 20
    /// Bytes of all keys and of all values together, each.
    package var nameBytes = 1 << 30
    /// Positions that the search for an order may visit for one key, each once; then the verdict on the key is unknown.
    /// A search that succeeds visits about as many as there are writes. A million take about a second.
    package var positions = 1 << 24
    /// 64-bit words that those positions may take for one key: 512 MB.
    package var positionWords = 1 << 26
    /// Positions for each operation that are visited before other ways are tried: an order that is easily found needs
    /// one or two.
    package var easyPositions = 2
    /// Positions that are followed side by side for one key of plain reads and writes: beyond these a violation is not
    /// certain any more. Every two are compared.
    package var frontierPositions = 1 << 8
    /// Positions that are made in all in this way: some minutes.
    package var frontierSteps = 1 << 27
    /// Values that reads under way may ask for in one step, in any selection: two to this power are tried.
    package var valuesAtOnce = 8
    /// Operations that may be looked at while a failing history is made smaller, counted once for each time: some
    /// seconds. What is found by then fails too, though it may not be the smallest.
    package var shrinkingSteps = 100_000_000
    /// Positions that each search may visit while a failing history is made smaller.
    package var shrinkingPositions = 20_000

    package init() {}
}
