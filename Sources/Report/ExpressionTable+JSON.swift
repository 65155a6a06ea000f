import Analysis
import Etcd
import Replay

extension ExpressionTable {
    /// The member `expression`: calls of the trace by what became of them.
    func write(to json: inout JSONWriter) {
        json.name("expression")
        json.beginObject()
        json.member("calls", total)
        json.member("executed", executed)
        write("approximated", to: &json) { approximated($0, $1) }
        write("left_out", to: &json) { leftOut($0, $1) }
        json.member("omitted", omitted)
        json.endObject()
    }

    private func write(
        _ name: String, to json: inout JSONWriter, _ count: (OperationKind, ChainObstacle) -> Int
    ) {
        json.name(name)
        json.beginArray()
        for obstacle in ChainObstacle.allCases {
            for kind in OperationKind.allCases where count(kind, obstacle) > 0 {
                json.beginObject()
                json.member("reason", "\(obstacle)")
                json.member("kind", "\(kind)")
                json.member("calls", count(kind, obstacle))
                json.endObject()
            }
        }
        json.endArray()
    }
}
