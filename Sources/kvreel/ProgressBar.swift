/// How far a decode is, on standard error, only if that is a terminal that can draw it and nobody asked for
/// quiet.
struct ProgressBar {
    private let isShown: Bool
    private let start = SystemCalls.monotonicNanoseconds()
    private var lastDrawn: UInt64 = 0
    private var isDrawn = false
    /// Ten times a second: smooth to the eye, nothing to the processor.
    private static let interval: UInt64 = 100_000_000

    init(quiet: Bool) { isShown = !quiet && Terminal.progressWidth != nil }

    /// `total` is nil where the end is not known (a pipe, a live interface).
    mutating func update(done: Int, total: Int?, packets: Int64, operations: Int) {
        guard isShown else { return }
        let now = SystemCalls.monotonicNanoseconds()
        guard now - lastDrawn >= Self.interval else { return }
        lastDrawn = now
        isDrawn = true
        let counts = "\(Terminal.grouped(packets)) packets, \(Terminal.grouped(operations)) operations"
        guard let total, total > 0 else { return draw(counts) }
        let share = min(1, Double(done) / Double(total))
        let width = 24
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        draw("[\(bar)] \(Int(share * 100)) %  \(counts)")
    }

    /// Cut so that it never wraps: what wrapped could not be taken away. The width may have changed meanwhile.
    private func draw(_ line: String) {
        guard let width = Terminal.progressWidth else { return }
        StandardError.write("\r\u{1b}[K" + line.prefix(width - 1))
    }

    /// Takes the bar away, so that what follows begins on a clean line.
    mutating func clear() {
        if isDrawn { StandardError.write("\r\u{1b}[K") }
        isDrawn = false
    }
}
