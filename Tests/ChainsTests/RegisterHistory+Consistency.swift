import Consistency
import Wire

extension RegisterHistory {
    /// What the checker of histories says of the same operations. A call comes after the ends of its step.
    var verdict: Verdict {
        var history = History()
        let key = history.keys.number(of: Array("k".utf8).span)
        for (client, operation) in operations.enumerated() where operation.isWrite || operation.end != nil {
            let text = Array("\(operation.value)".utf8)
            let value = operation.value == 0 ? 0 : history.values.number(of: text.span)
            history.operations.append(
                HistoryOperation(
                    client: Int64(client), key: UInt32(key),
                    kind: operation.isWrite ? operation.value == 0 ? .delete : .write : .read,
                    outcome: operation.end == nil ? .unknown : .ok, value: Int64(value),
                    call: Int64(2 * operation.call + 1),
                    return: operation.end.map { Int64(2 * $0) } ?? HistoryOperation.noReturn))
        }
        return HistoryCheck(history).verdict
    }
}
