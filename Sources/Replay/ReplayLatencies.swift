/// Distributions of a run's times. They add up over parts and machines.
package struct ReplayLatencies: Sendable {
    /// From when a call was to be sent by the timetable to when it had ended.
    package internal(set) var response = TimeHistogram()
    /// From when it was sent to when it had ended.
    package internal(set) var service = TimeHistogram()
    /// From when it was due and all that it waits for was answered to when it was sent: the replayer's own delay.
    package internal(set) var sendLag = TimeHistogram()
    /// From when it was due to when all that it waits for was answered: the store's delay of other calls.
    package internal(set) var dependencyWait = TimeHistogram()
    /// From when a call that caused an event was sent to when the event was there.
    package internal(set) var delivery = TimeHistogram()

    package init() {}

    /// An answered call, by one clock.
    @inline(__always)
    mutating func record(intended: Int64, released: Int64, sent: Int64, done: Int64) {
        response.record(done &- intended)
        service.record(done &- sent)
        sendLag.record(sent &- released)
        dependencyWait.record(released &- intended)
    }

    /// Counts all that `other` has counted.
    package mutating func add(_ other: ReplayLatencies) {
        response.add(other.response)
        service.add(other.service)
        sendLag.add(other.sendLag)
        dependencyWait.add(other.dependencyWait)
        delivery.add(other.delivery)
    }
}
