import Etcd
import Wire

/// What a synthetic workload's store holds: the state of each key by number, as etcd would have it (api.proto,
/// mvccpb KeyValue). At the start every key is there, written once.
struct SyntheticStore: Sendable {
    struct State: Sendable {
        /// 0: the key does not exist.
        var modRevision: Int64
        var createRevision: Int64
        var version: Int64
        var valueSize: Int64
    }

    private(set) var states: [State]
    private(set) var revision: Int64

    init(valueSizes: some Sequence<Int64>) {
        // An empty etcd is at revision 1.
        revision = 1
        states = []
        for size in valueSizes {
            revision += 1
            states.append(State(modRevision: revision, createRevision: revision, version: 1, valueSize: size))
        }
    }

    mutating func put(_ key: Int, valueSize: Int64) {
        revision += 1
        if states[key].modRevision == 0 { states[key].createRevision = revision }
        states[key].version += 1
        states[key].modRevision = revision
        states[key].valueSize = valueSize
    }

    /// Whether there was something to delete.
    mutating func delete(_ key: Int) -> Bool {
        if states[key].modRevision == 0 { return false }
        revision += 1
        states[key] = State(modRevision: 0, createRevision: 0, version: 0, valueSize: 0)
        return true
    }

    /// Appends the key's record if it exists. `number` is the key's in the batch that the record is for.
    func append(_ key: Int, _ number: KeyNumber, to keyValues: inout [KeyValueRecord]) {
        let state = states[key]
        if state.modRevision == 0 { return }
        var record = KeyValueRecord()
        record.key = number
        record.createRevision = state.createRevision
        record.modRevision = state.modRevision
        record.version = state.version
        record.valueSize = state.valueSize
        keyValues.append(record)
    }
}
