import Analysis
import Replay

/// How far a replay is, on standard error, only if that is a terminal that can draw it and nobody asked for quiet.
struct ReplayProgress {
    private let isShown: Bool
    private var isDrawn = false
    private var last: (time: Int64, answered: Int64) = (0, 0)
    private static let width = 24

    init(quiet: Bool) { isShown = !quiet && Terminal.progressWidth != nil }

    mutating func update(_ engine: borrowing ReplayEngine, at now: Int64) {
        guard isShown, let width = Terminal.progressWidth else { return }
        isDrawn = true
        let answered = engine.counts.total(\.answered)
        let share = engine.progress(at: now)
        let seconds = Double(now - last.time) / 1e9
        let rate = last.time == 0 || seconds <= 0 ? 0 : Double(answered - last.answered) / seconds
        last = (now, answered)
        let filled = Int(share * Double(Self.width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
        var line = "[\(bar)] \(Int(share * 100)) %  \(Figures.count(Int(answered))) calls"
        line += ", \(Figures.count(Int(rate)))/s"
        line += ", lag p99 \(Figures.latency(nanoseconds: Int64(engine.sendLag.percentile(99))))"
        line += ", \(Figures.counted(Int(engine.counts.total(\.errors)), "error"))"
        if let left = engine.timeLeft(at: now) { line += ", \(Figures.duration(nanoseconds: left)) left" }
        StandardError.write("\r\u{1b}[K" + line.prefix(width - 1))
    }

    mutating func clear() {
        if isDrawn { StandardError.write("\r\u{1b}[K") }
        isDrawn = false
    }
}
