import Foundation
import Synchronization

/// Does to a store's members what was asked for, each at its time of the run, on a thread of its own: to end or to
/// start a process takes milliseconds in which calls are due.
final class FaultThread: Sendable {
    private struct State: Sendable {
        var isEnded = false
        var lines: [String] = []
    }

    private let faults: [MemberFault]
    private let members: any MemberControl
    private let state = Mutex(State())
    private let condition = NSCondition()
    private let over = DispatchSemaphore(value: 0)
    private let isStarted = Atomic<Bool>(false)

    init(_ faults: [MemberFault], on members: any MemberControl) {
        // Those of one time in the order in which they were named.
        self.faults = faults.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
        self.members = members
    }

    /// Begins; times count from now.
    func start() {
        isStarted.store(true, ordering: .relaxed)
        let begin = SystemCalls.monotonicNanoseconds()
        let thread = Thread { [self] in
            var leader: Int?
            for fault in faults where wait(until: begin, fault.time) { perform(fault, &leader) }
            over.signal()
        }
        thread.name = "faults"
        thread.start()
    }

    /// Ends it: what is not due yet is not done. What was done, a line each.
    func finish() -> [String] {
        condition.withLock {
            state.withLock { $0.isEnded = true }
            condition.broadcast()
        }
        if isStarted.load(ordering: .relaxed) { over.wait() }
        return state.withLock { $0.lines }
    }

    /// False: the run has ended before.
    private func wait(until begin: UInt64, _ time: UInt64) -> Bool {
        condition.withLock {
            while !state.withLock({ $0.isEnded }) {
                let passed = SystemCalls.monotonicNanoseconds() - begin
                if passed >= time { return true }
                _ = condition.wait(until: Date(timeIntervalSinceNow: Double(time - passed) / 1e9))
            }
            return false
        }
    }

    /// - Parameter leader: the one that was meant last, so that what follows means the same member.
    private func perform(_ fault: MemberFault, _ leader: inout Int?) {
        let member: Int
        switch fault.target {
        case .member(let number): member = number
        case .leader:
            let isFollowing = fault.action == .restart || fault.action == .resume
            guard let number = isFollowing ? leader : members.leader() else {
                return note(fault, isFollowing ? "no leader was killed or paused before" : "there is no leader now")
            }
            leader = number
            member = number
        }
        do {
            switch fault.action {
            case .kill: try members.kill(member)
            case .restart: try members.restart(member)
            case .pause: try members.pause(member)
            case .resume: try members.resume(member)
            }
            note(fault, "member \(member + 1)")
        } catch {
            note(fault, "not done: \(error)")
        }
    }

    private func note(_ fault: MemberFault, _ what: String) {
        let time = Terminal.decimal(Double(fault.time) / 1e9, places: 1)
        let line = "\(time) s: \(fault.words): \(what)"
        state.withLock { $0.lines.append(line) }
    }
}
