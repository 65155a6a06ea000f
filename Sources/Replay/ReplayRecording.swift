import Etcd
import Wire

/// What a replay does, as operations of a trace: one for each answered call, in the order of the answers. The shell
/// takes the batch when it is full.
struct ReplayRecording: ~Copyable, Sendable {
    /// Full when it holds so many operations.
    let capacity: Int
    /// Operations so far, each with its `replays` record.
    var batch = OperationBatch()
    /// Of the plan's keys, by number: what they are in the batch of that stamp.
    private var numbers: [(stamp: UInt32, number: KeyNumber)]
    private var stamp: UInt32 = 1
    /// The batch may hold keys of the plan that `numbers` does not know of: answers named them.
    private var holdsOthers = false
    private var connections: [Connection]

    /// A connection to the target.
    private struct Connection: Sendable {
        var names: ConnectionNames
        var first: Int64 = 0
        var last: Int64 = 0
        var requestBytes: Int64 = 0
        var responseBytes: Int64 = 0
        var isNew = true
        var hasChanged = false

        @inline(__always)
        mutating func count(from first: Int64, to last: Int64, requestBytes: Int64, responseBytes: Int64) {
            if isNew {
                isNew = false
                self.first = first
            }
            self.last = max(self.last, last)
            self.requestBytes &+= requestBytes
            self.responseBytes &+= responseBytes
            hasChanged = true
        }
    }

    /// Key-values and parts that one batch holds at least before it counts as full: what they take is bounded so.
    private static let elementsPerOperation = 16

    /// - Parameters:
    ///   - keyCount: keys of the plan.
    ///   - capacity: operations of a batch, at least 1.
    init(keyCount: Int, capacity: Int, connections: [ConnectionNames]) {
        self.capacity = capacity
        numbers = Array(repeating: (0, 0), count: keyCount + 1)
        self.connections = connections.map { Connection(names: $0) }
        batch.operations.reserveCapacity(capacity + 1)
        batch.replays.reserveCapacity(capacity + 1)
    }

    var isFull: Bool {
        batch.operations.count >= capacity
            || batch.keyValues.count + batch.parts.count >= capacity * Self.elementsPerOperation
    }

    /// Hands the batch over, and goes on with `other`, of which the memory is used.
    mutating func take(into other: inout OperationBatch) {
        describeConnections()
        other.removeAll()
        swap(&batch, &other)
        holdsOthers = false
        stamp &+= 1
        if stamp == 0 {
            for place in numbers.indices { numbers[place].stamp = 0 }
            stamp = 1
        }
    }

    private mutating func describeConnections() {
        for place in connections.indices where connections[place].hasChanged {
            let connection = connections[place]
            connections[place].hasChanged = false
            var record = ConnectionRecord(
                number: UInt32(place), client: batch.texts.number(of: connection.names.client),
                server: batch.texts.number(of: connection.names.server),
                firstTime: CaptureTime(nanoseconds: connection.first))
            record.lastTime = CaptureTime(nanoseconds: connection.last)
            record.content = .http2
            record.requestBytes = connection.requestBytes
            record.responseBytes = connection.responseBytes
            batch.connections.append(record)
        }
    }

    /// Counts a message for its connection.
    @inline(__always)
    mutating func count(
        connection: UInt32, from first: Int64, to last: Int64, requestBytes: Int64, responseBytes: Int64
    ) {
        let place = Int(connection)
        guard place < connections.count else { return }
        connections[place].count(from: first, to: last, requestBytes: requestBytes, responseBytes: responseBytes)
    }

    /// The number in the batch of the plan's key of that number.
    @inline(__always)
    mutating func number(_ key: KeyNumber, of keys: borrowing ByteTable) -> KeyNumber {
        if key == 0 { return 0 }
        if numbers[Int(key)].stamp == stamp { return numbers[Int(key)].number }
        let number = holdsOthers ? batch.keys.number(of: key, in: keys) : batch.keys.append(new: key, of: keys)
        numbers[Int(key)] = (stamp, number)
        return number
    }

    /// The number in the batch of a key that need not be the plan's.
    mutating func number(of key: borrowing LeaseKey) -> KeyNumber {
        holdsOthers = true
        return batch.keys.number(of: key.bytes.span)
    }

    /// Reads what is known of a key of the plan (`Lookahead`).
    @inline(__always)
    func look(_ key: KeyNumber) -> UInt64 { UInt64(numbers[Int(key)].stamp) }

    /// Adds the key-values of an answer. The place of the first.
    mutating func append(keyValuesOf details: borrowing CallDetails) -> UInt32 {
        let first = UInt32(batch.keyValues.count)
        holdsOthers = holdsOthers || !details.keyValues.isEmpty
        var place = 0
        while place < details.keyValues.count {
            var record = details.keyValues[place]
            if record.key != 0 {
                record.key = batch.keys.number(
                    of: details.keys.bytes.span.extracting(details.keys.range(of: record.key)))
            }
            batch.keyValues.append(record)
            place += 1
        }
        return first
    }
}

/// The two ends of a connection to the target, as traces name them: `ADDRESS:PORT`, or what else tells them apart.
package struct ConnectionNames: Sendable, Equatable {
    package var client: String
    package var server: String

    package init(client: String, server: String) {
        self.client = client
        self.server = server
    }
}
