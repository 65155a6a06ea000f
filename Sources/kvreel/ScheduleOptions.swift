import ArgumentParser
import Replay

/// When calls are due: one pace, and what changes it.
struct ScheduleOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("At recorded times, so many times as fast: 10, 0.5, 2x.", valueName: "factor"),
        transform: OptionValue.speed)
    var speed: Schedule.Ratio?

    @Option(
        name: [.customShort("R"), .long],
        help: ArgumentHelp("So many calls a second at equal gaps, in the recorded order: 500, 20k.", valueName: "rate"),
        transform: OptionValue.callRate)
    var rate: Schedule.Ratio?

    @Flag(name: .long, help: "With --rate: gaps of a Poisson process.")
    var poisson = false

    @Option(
        name: .long,
        help: ArgumentHelp("So many calls outstanding, each next one when one has ended.", valueName: "n"),
        transform: OptionValue.outstanding)
    var closed: Int?

    @Flag(name: .long, help: "As fast as the store answers.")
    var max = false

    @Option(
        name: .long, help: ArgumentHelp("Begin so far into the recording: 30s, 5m.", valueName: "time"),
        transform: OptionValue.duration)
    var offset: UInt64?

    @Option(
        name: [.short, .long], help: ArgumentHelp("Send for so long: 30s, 5m.", valueName: "time"),
        transform: OptionValue.duration)
    var duration: UInt64?

    @Option(
        name: .long,
        help: ArgumentHelp("Play the recording so many times; outcomes are compared the first time.", valueName: "n"),
        transform: OptionValue.loops)
    var loop: UInt32?

    @Option(
        name: .long, help: ArgumentHelp("Let the rate rise from 0 in this time.", valueName: "time"),
        transform: OptionValue.duration)
    var ramp: UInt64?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Leave the first calls out of the times that are told: so many, 500, 10k, or those of so long, 2s.",
            valueName: "n|time"),
        transform: OptionValue.warmUp)
    var warmUp: Schedule.WarmUp?

    @Option(
        name: .long, help: ArgumentHelp("Of --poisson (default: 1).", valueName: "n"), transform: OptionValue.seed)
    var seed: UInt64?

    func validate() throws {
        let paces = [speed != nil, rate != nil, closed != nil, max].count { $0 }
        if paces > 1 { throw ValidationError("--speed, --rate, --closed and --max exclude each other") }
        if poisson, rate == nil { throw ValidationError("--poisson is for --rate") }
        if seed != nil, !poisson { throw ValidationError("--seed is for --poisson") }
        if ramp != nil, closed != nil || max {
            throw ValidationError("--ramp is for a timetable; --closed and --max have none")
        }
    }

    func schedule() throws -> Schedule {
        let pace: Schedule.Pace
        if let rate {
            pace = poisson ? .poisson(rate: rate, seed: seed ?? 1) : .constant(rate: rate)
        } else if let closed {
            pace = .closed(outstanding: closed)
        } else if max {
            pace = .max
        } else {
            pace = .recorded(speed: speed ?? Schedule.Ratio(1))
        }
        var schedule = Schedule(pace)
        schedule.offset = Int64(clamping: offset ?? 0)
        schedule.duration = duration.map { Int64(clamping: $0) }
        schedule.loops = loop ?? 1
        schedule.ramp = Int64(clamping: ramp ?? 0)
        schedule.warmUp = warmUp
        return schedule
    }
}

extension Schedule {
    /// As reports show it.
    var words: String {
        var words: String
        switch pace {
        case .recorded(let speed): words = "recorded times" + (speed == Ratio(1) ? "" : ", \(speed.words)x")
        case .constant(let rate): words = "\(rate.words) a second"
        case .poisson(let rate, let seed): words = "\(rate.words) a second, Poisson, seed \(seed)"
        case .closed(let outstanding): words = "closed, \(outstanding) outstanding"
        case .max: words = "max"
        }
        if offset > 0 { words += ", from \(Terminal.seconds(offset))" }
        if let duration { words += ", for \(Terminal.seconds(duration))" }
        if loops > 1 { words += ", \(loops) times" }
        if ramp > 0 { words += ", ramp \(Terminal.seconds(ramp))" }
        switch warmUp {
        case .none: break
        case .calls(let count): words += ", warm-up \(Terminal.counted(count, "call"))"
        case .nanoseconds(let time): words += ", warm-up \(Terminal.seconds(time))"
        }
        return words
    }
}

extension Schedule.Ratio {
    /// `10`, `2.5`.
    var words: String {
        if numerator % denominator == 0 { return Terminal.grouped(numerator / denominator) }
        var text = Terminal.decimal(Double(numerator) / Double(denominator), places: 6)
        while text.hasSuffix("0") { text.removeLast() }
        return text
    }
}
