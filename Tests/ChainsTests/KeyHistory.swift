import Consistency

/// What clients of one key saw. Values are the numbers of the writes that wrote them, 0 where there is none.
struct KeyHistory {
    var operations: [HistoryOperation] = []

    var isLinearizable: Bool {
        var history = History()
        _ = history.keys.number(of: "k")
        let values = operations.map { max($0.value, $0.expect) }.max() ?? 0
        for value in 0...values { _ = history.values.number(of: "\(value)") }
        history.operations = operations
        return HistoryCheck(history).verdict == .linearizable
    }
}
