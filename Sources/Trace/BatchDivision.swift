import Etcd
import Wire

/// Divides a batch that is beyond what a block holds into batches of the usual size, one after the other. Each has the
/// keys and texts that it names, and nothing is in two of them.
///
/// A recorder hands its batches on in time; but what one packet, or the end of the capture, completes at once may be
/// any number of operations.
struct BatchDivision {
    private var nextOperation = 0
    private var nextObserved = 0
    private var nextConnection = 0
    private var copy = RecordCopy()

    /// Replaces the part's content by the next records of the whole, which is the same in every call; false when there
    /// are none left.
    mutating func next(of whole: borrowing OperationBatch, into part: inout OperationBatch) -> Bool {
        part.removeAll()
        part.health = whole.health
        copy.begin(whole)
        while nextConnection < whole.connections.count, RecordCopy.hasRoom(part) {
            copy.append(whole.connections[nextConnection], of: whole, to: &part)
            nextConnection += 1
        }
        while nextOperation < whole.operations.count, RecordCopy.hasRoom(part) {
            copy.append(whole.operations[nextOperation], of: whole, to: &part)
            if !whole.replays.isEmpty { part.replays.append(whole.replays[nextOperation]) }
            nextOperation += 1
        }
        while nextObserved < whole.observed.count, RecordCopy.hasRoom(part) {
            copy.append(whole.observed[nextObserved], of: whole, to: &part)
            nextObserved += 1
        }
        return !part.operations.isEmpty || !part.connections.isEmpty || !part.observed.isEmpty
    }
}
