import Etcd
import Wire

// Observed state and connections.
extension BatchCodec {
    mutating func codeObserved() {
        var previousKey: KeyNumber = 0
        for index in 0..<counts.observed {
            var record =
                Coder.encodes ? batch.observed[index] : ObservedRecord(kind: .present, source: .rangeReply, key: 0)
            var shape =
                Coder.encodes
                ? Shape(bytes: record.kind.rawValue, record.source.rawValue)
                : coder.nextShape(of: .observed, from: .observedShape)
            if !Coder.encodes {
                guard let kind = ObservedRecord.Kind(rawValue: shape.byte(0)),
                    let source = ObservedRecord.Source(rawValue: shape.byte(1))
                else { return coder.fail() }
                record.kind = kind
                record.source = source
            }
            let following = Int(previousKey) < counts.keys ? previousKey + 1 : 0
            code(key: &record.key, predicted: following, .observedKey, &shape.mask, 0)
            previousKey = record.key
            let usualEnd = record.kind == .counted ? keys[Int(record.key)].rangeEnd : 0
            code(key: &record.rangeEnd, predicted: usualEnd, .observedRangeEnd, &shape.mask, 1)
            let state = record.kind == .present ? keys[Int(record.key)] : KeyState()
            code(&record.createRevision, predicted: state.createRevision, .observedCreateRevision, &shape.mask, 2)
            code(&record.modRevision, predicted: state.modRevision, .observedModRevision, &shape.mask, 3)
            code(&record.version, predicted: state.version, .observedVersion, &shape.mask, 4)
            code(&record.lease, predicted: state.lease, .observedLease, &shape.mask, 5)
            let size = record.kind == .present ? state.valueSize : -1
            code(&record.valueSize, predicted: size, .observedValueSize, &shape.mask, 6)
            code(&record.count, predicted: 0, .observedCount, &shape.mask, 7)
            code(&record.named, predicted: record.count, .observedNamed, &shape.mask, 8)
            coder.write(shape, of: .observed, to: .observedShape)
            if !Coder.encodes { batch.observed.append(record) }
        }
    }

    mutating func codeConnections() {
        var previous = ConnectionRecord(
            number: 0, client: 0, server: 0, firstTime: CaptureTime(nanoseconds: timeBase))
        for index in 0..<counts.connections {
            var record = Coder.encodes ? batch.connections[index] : previous
            var shape =
                Coder.encodes
                ? Shape(bytes: record.start.rawValue, record.content.rawValue, record.isClosed ? 1 : 0)
                : coder.nextShape(of: .connection, from: .connectionShape)
            if !Coder.encodes {
                guard let start = ConnectionRecord.Start(rawValue: shape.byte(0)),
                    let content = ConnectionRecord.Content(rawValue: shape.byte(1)), shape.byte(2) <= 1
                else { return coder.fail() }
                record.start = start
                record.content = content
                record.isClosed = shape.byte(2) == 1
            }
            code(&record.number, predicted: previous.number &+ 1, .connectionNumber, &shape.mask, 0)
            code(text: &record.client, predicted: previous.client &+ 1, .connectionClient, &shape.mask, 1)
            code(text: &record.server, predicted: previous.server, .connectionServer, &shape.mask, 2)
            code(text: &record.userAgent, predicted: previous.userAgent, .connectionUserAgent, &shape.mask, 3)
            code(
                &record.firstTime.nanoseconds, predicted: previous.firstTime.nanoseconds, .connectionFirstTime,
                &shape.mask, 4)
            code(
                &record.lastTime.nanoseconds, predicted: previous.lastTime.nanoseconds, .connectionLastTime,
                &shape.mask, 5)
            code(&record.requestBytes, predicted: 0, .connectionRequestBytes, &shape.mask, 6)
            code(&record.responseBytes, predicted: 0, .connectionResponseBytes, &shape.mask, 7)
            code(&record.lostBytes, predicted: 0, .connectionLostBytes, &shape.mask, 8)
            code(&record.gaps, predicted: 0, .connectionGaps, &shape.mask, 9)
            code(&record.undecodableBytes, predicted: 0, .connectionUndecodableBytes, &shape.mask, 10)
            previous = record
            coder.write(shape, of: .connection, to: .connectionShape)
            if !Coder.encodes { batch.connections.append(record) }
        }
    }
}
