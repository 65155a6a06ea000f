import Replay
import TestSupport
import Testing

@Suite("Timetable")
struct TimetableTests {
    private static let second: Int64 = 1_000_000_000

    /// The times of the first calls of a plan whose calls are a second apart.
    private func times(_ schedule: Schedule, count: Int, loops: UInt32 = 1) -> [Int64] {
        var table = Timetable(schedule, span: Int64(count - 1) * Self.second, count: count)
        var times: [Int64] = []
        for loop in 0..<loops {
            for call in 0..<count { times.append(table.next(recorded: Int64(call) * Self.second, loop: loop)) }
        }
        return times
    }

    @Test(
        "a constant rate has no drift: after each whole number of periods the time is exact, for two hours",
        arguments: [(7, 3), (20_000, 1), (999_983, 1000), (1, 3)] as [(UInt64, UInt64)])
    func constantRate(_ rate: (UInt64, UInt64)) {
        var table = Timetable(Schedule(.constant(rate: .init(rate.0, rate.1))), span: 0, count: 1)
        // So many calls take so many seconds.
        let (calls, seconds) = rate
        let periods = min(7200 / seconds, 4_000_000 / calls)
        for period in 0..<periods {
            let start = table.next(recorded: 0, loop: 0)
            #expect(start == Int64(period * seconds) * Self.second)
            if start != Int64(period * seconds) * Self.second { return }
            for _ in 1..<calls { _ = table.next(recorded: 0, loop: 0) }
        }
    }

    @Test(
        "recorded times of an hour are kept to the nanosecond at every speed",
        arguments: [(1, 1), (3, 1), (5, 2), (1, 7)])
    func recorded(_ speed: (UInt64, UInt64)) {
        var table = Timetable(Schedule(.recorded(speed: .init(speed.0, speed.1))), span: 3600 * Self.second, count: 2)
        let hour = table.next(recorded: 3600 * Self.second, loop: 0)
        #expect(hour == Int64(3_600_000_000_000 * speed.1 / speed.0))
        // A call long before does not move a later one.
        var other = Timetable(Schedule(.recorded(speed: .init(speed.0, speed.1))), span: 3600 * Self.second, count: 2)
        for time in 0..<100_000 { _ = other.next(recorded: Int64(time) * 7, loop: 0) }
        #expect(other.next(recorded: 3600 * Self.second, loop: 0) == hour)
    }

    @Test("when the last call is due is known before the first one", arguments: [0, 2_500] as [Int64])
    func last(ramp: Int64) {
        for pace in [Schedule.Pace.recorded(speed: .init(3, 2)), .constant(rate: .init(7, 3))] {
            var schedule = Schedule(pace)
            schedule.ramp = ramp * 1_000_000
            let all = times(schedule, count: 5, loops: 3)
            let table = Timetable(schedule, span: 4 * Self.second, count: 5)
            #expect(table.last(of: 15, recorded: 4 * Self.second, loop: 2) == all.last)
        }
        let poisson = Timetable(Schedule(.poisson(rate: .init(10), seed: 1)), span: 0, count: 1)
        #expect(poisson.last(of: 101, recorded: 0, loop: 0) == 10 * Self.second)
        for pace in [Schedule.Pace.closed(outstanding: 3), .max] {
            #expect(Timetable(Schedule(pace), span: 0, count: 1).last(of: 9, recorded: 0, loop: 0) == nil)
        }
        // No number of calls is too large.
        let slow = Timetable(Schedule(.constant(rate: .init(1, 1_000_000_000))), span: 0, count: 1)
        #expect(slow.last(of: .max, recorded: .max, loop: .max) == Timetable.never)
    }

    @Test("loops go on with the timetable, a mean gap apart")
    func loops() {
        let recorded = times(Schedule(.recorded(speed: .init(1))), count: 4, loops: 3)
        #expect(recorded == (0..<12).map { Int64($0) * Self.second })
        let constant = times(Schedule(.constant(rate: .init(10))), count: 4, loops: 3)
        #expect(constant == (0..<12).map { Int64($0) * Self.second / 10 })
    }

    @Test("a recorded plan that begins at an offset begins at 0")
    func offset() {
        var schedule = Schedule(.recorded(speed: .init(2)))
        schedule.offset = 10 * Self.second
        var table = Timetable(schedule, span: 5 * Self.second, count: 6)
        #expect(table.next(recorded: 10 * Self.second, loop: 0) == 0)
        #expect(table.next(recorded: 15 * Self.second, loop: 0) == 5 * Self.second / 2)
        #expect(table.next(recorded: 10 * Self.second, loop: 1) == 3 * Self.second)
    }

    @Test("while the rate rises to 1000 a second in 10 s, t seconds have seen 50 t^2 calls; then it is 1000")
    func ramp() {
        var schedule = Schedule(.constant(rate: .init(1000)))
        schedule.ramp = 10 * Self.second
        let times = times(schedule, count: 20_001)
        for second in 0...10 { #expect(times[50 * second * second] == Int64(second) * Self.second) }
        #expect(times[5001] == 10 * Self.second + 1_000_000)
        #expect(times[20_000] == 25 * Self.second)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test(
        "Poisson's gaps have the mean, the variance and the median of an exponential distribution",
        arguments: seeds(1, 2, 77))
    func poisson(_ seed: UInt64) {
        let count = 100_000
        let times = times(Schedule(.poisson(rate: .init(1000), seed: seed)), count: count)
        let gaps = zip(times, [0] + times).map { Double($0 - $1) / 1e6 }
        let mean = gaps.reduce(0, +) / Double(count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        let below = Double(gaps.count { $0 < 0.693_147_18 }) / Double(count)
        // Five standard errors: 1 / sqrt n of the mean, sqrt(8 / n) of the variance, 1 / 2 sqrt n of a share of a half.
        #expect(abs(mean - 1) < 5 / 316.2)
        #expect(abs(variance - 1) < 5 * 2.83 / 316.2)
        #expect(abs(below - 0.5) < 2.5 / 316.2)
        #expect(gaps.allSatisfy { $0 >= 0 })
    }

    @Test("Poisson's times are the seed's: the same for the same one, others for another")
    func poissonSeed() {
        let schedule = { (seed: UInt64) in Schedule(.poisson(rate: .init(50), seed: seed)) }
        #expect(times(schedule(4), count: 1000) == times(schedule(4), count: 1000))
        #expect(times(schedule(4), count: 1000) != times(schedule(5), count: 1000))
    }

    @Test("Poisson's times scale with the rate: rounding to nanoseconds does not add up in a day")
    func poissonDrift() {
        // At 10^-9 of the rate the same gaps are known a billion times as exactly.
        let exact = times(Schedule(.poisson(rate: .init(1, 1000), seed: 9)), count: 100_000)
        let fast = times(Schedule(.poisson(rate: .init(1_000_000), seed: 9)), count: 100_000)
        #expect(zip(exact, fast).allSatisfy { $0 / 1_000_000_000 == $1 })
    }

    @Test("times beyond all runs are all the same, and do not trap")
    func farAway() {
        var table = Timetable(Schedule(.recorded(speed: .init(1, 1_000_000_000))), span: .max, count: 2)
        #expect(table.next(recorded: .max, loop: .max) == Timetable.never)
        var ramped = Schedule(.constant(rate: .init(1, 1_000_000_000)))
        ramped.ramp = .max
        var other = Timetable(ramped, span: 0, count: 1)
        #expect(other.next(recorded: 0, loop: 0) == 0)
        #expect(other.next(recorded: 0, loop: 0) > 0)
    }
}
