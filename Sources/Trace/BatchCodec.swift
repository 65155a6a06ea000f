import Etcd
import Wire

/// Walks through a batch's records in one order and predicts each field from what came before, in both directions.
///
/// Order: an operation, its body, the compares and key-values up to the end of the body's slices, those up to the end
/// of its events, its parts likewise; at the end what belongs to no operation, observed records, connections.
/// Arithmetic wraps: a difference of any two numbers can be undone.
struct BatchCodec<Coder: RecordCoder> {
    var coder: Coder
    var batch = OperationBatch()
    /// How many records of each kind the batch has, or will have.
    var counts = BatchCounts()
    /// Nanoseconds of which all times of operations are multiples (relative to the first end), and the first end.
    var timeUnit: Int64 = 1
    var timeBase: Int64 = 0

    var keys: [KeyState] = []
    /// The highest key number met.
    var newestKey: UInt32 = 0
    /// The key whose state changed last, and its state before.
    var changedKey: UInt32 = 0
    var stateBeforeChange = KeyState()
    var codedParts = 0
    var codedCompares = 0
    var codedKeyValues = 0
    /// Where the next slice of each kind is expected to begin.
    var expected: [UInt32] = [0, 0, 0]
    /// How many records of each kind slices have named: together no more than there are, so that whoever follows the
    /// slices of a crafted block looks at each record once, not once for each slice.
    var named: [Int] = [0, 0, 0]
    /// Bytes of keys and values named by the current operation, out and back: most of a message's size.
    var requestContent: Int64 = 0
    var responseContent: Int64 = 0
    /// The shape number of the body or part coded last.
    var lastBodyShape = 0

    private var previousEnd: Int64 = 0
    private var previousConnection: UInt32 = 0
    private var previousRevision: Int64 = 0
    private var previousCandidates: Int64 = 0
    /// For each connection met: its last streams and watch.
    private var connections: [ConnectionState] = []
    private var connectionPlaces: [UInt32: Int] = [:]
    /// What messages had beyond their content and frames, the last time: by the kind of operation, or its body's
    /// shape.
    private var extras: [SizeExtras] = []

    struct ConnectionState {
        var callStream: Int64 = -1
        var streamingStream: Int64 = 0
        var watchID: Int64 = 0
    }

    struct SizeExtras {
        var request: Int64 = 0
        var response: Int64 = 0
        var requestWire: Int64 = 0
        var responseWire: Int64 = 0
    }

    init(coder: Coder) { self.coder = coder }

    /// Codes the whole batch. The tables of keys and texts are there already, and `counts`.
    mutating func run() {
        prepare()
        for index in 0..<counts.operations {
            var operation = Coder.encodes ? batch.operations[index] : Self.blankOperation
            code(&operation)
            if !Coder.encodes { batch.operations.append(operation) }
            if coder.hasFailed { return }
        }
        codeParts(before: counts.parts, revision: 0, key: 0)
        codeCompares(before: counts.compares, key: 0)
        codeKeyValues(before: counts.keyValues, context: KeyValueContext())
        codeObserved()
        codeConnections()
        codeReplays()
    }

    static var blankOperation: Operation {
        Operation(
            time: CaptureTime(nanoseconds: 0), connection: 0, stream: 0, role: .call, kind: .other, evidence: .seen,
            method: .unknown)
    }

    private mutating func prepare() {
        keys.removeAll(keepingCapacity: true)
        keys.append(contentsOf: repeatElement(KeyState(), count: counts.keys + 1))
        newestKey = 0
        changedKey = 0
        stateBeforeChange = KeyState()
        (codedParts, codedCompares, codedKeyValues) = (0, 0, 0)
        for kind in expected.indices { (expected[kind], named[kind]) = (0, 0) }
        previousEnd = timeBase
        previousConnection = 0
        previousRevision = 0
        previousCandidates = 0
        connections.removeAll(keepingCapacity: true)
        connectionPlaces.removeAll(keepingCapacity: true)
        extras.removeAll(keepingCapacity: true)
    }

    private mutating func code(_ operation: inout Operation) {
        var shape = Coder.encodes ? Shape(operation) : coder.nextShape(of: .operation, from: .operationShape)
        var bodyShape =
            Coder.encodes ? Shape(operation.body) : coder.shape(shape.bodyNumber, of: .body)
        if !Coder.encodes, !operation.take(shape) || !operation.body.take(bodyShape) { return coder.fail() }
        let presence = shape.presence
        codeTimes(&operation, presence: presence, mask: &shape.mask)
        if presence.contains(.key) {
            code(key: &operation.key, predicted: newestKey &+ 1, .operationKey, &shape.mask, 2)
        }
        code(&operation.connection, predicted: previousConnection, .connection, &shape.mask, 3)
        previousConnection = operation.connection
        codeStream(&operation, isCall: shape.isCall, mask: &shape.mask)
        code(text: &operation.methodText, predicted: 0, .methodText, &shape.mask, 6)
        code(text: &operation.errorText, predicted: 0, .errorText, &shape.mask, 7)
        code(&operation.lease, predicted: 0, .operationLease, &shape.mask, 8)
        code(&operation.ttl, predicted: 0, .ttl, &shape.mask, 9)
        code(&operation.revision, predicted: 0, .operationRevision, &shape.mask, 10)
        codeNaming(&operation, mask: &shape.mask)
        if presence.contains(.headerRevision) {
            let isWrite = shape.isPutOrDelete || bodyShape.bodyHasSucceeded
            let predicted = shape.isCall && isWrite ? previousRevision &+ 1 : previousRevision
            code(&operation.headerRevision, predicted: predicted, .headerRevision, &shape.mask, 11)
            if operation.headerRevision == 0 { coder.fail() }
            previousRevision = operation.headerRevision
        }

        requestContent = 0
        responseContent = 0
        lastBodyShape = 0
        code(&operation.body, revision: operation.headerRevision, key: operation.key, shape: &bodyShape)
        if Coder.encodes { shape.bodyNumber = coder.number(of: bodyShape, in: .body) }
        lastBodyShape = shape.bodyNumber
        code(
            &operation.events, of: .keyValues, predictedCount: shape.isEvent ? 1 : 0, .eventsCount,
            .eventsStart, &shape.mask, 12)
        codeKeyValues(
            before: end(of: operation.events),
            context: KeyValueContext(revision: operation.headerRevision, key: operation.key, isList: true))
        code(
            &operation.parts, of: .parts, predictedCount: 0, .partsCount, .partsStart, &shape.mask, 14)
        codeParts(before: end(of: operation.parts), revision: operation.headerRevision, key: operation.key)
        let context = bodyShape.bodyIsNone ? Int(shape.byte(1)) : 256 + lastBodyShape
        codeSizes(&operation, context: context, isEvent: shape.isEvent, mask: &shape.mask)
        if Coder.encodes { coder.write(shape, of: .operation, to: .operationShape) }
    }

    /// Operations stand in the order in which they ended, so the end is what is close to the previous one's.
    private mutating func codeTimes(_ operation: inout Operation, presence: Shape.Presence, mask: inout UInt64) {
        var duration: Int64 = 0
        if presence.contains(.responseEnd) {
            code(scaled: &operation.responseEnd, .duration)
            duration = operation.responseEnd
        } else {
            operation.responseEnd = Operation.absent
        }
        var sinceLast = operation.time.nanoseconds &+ duration &- previousEnd
        code(scaled: &sinceLast, .end)
        previousEnd = previousEnd &+ sinceLast
        operation.time.nanoseconds = previousEnd &- duration
        code(
            time: &operation.responseStart, isPresent: presence.contains(.responseStart), predicted: duration,
            .responseStart, &mask, 0)
        code(
            time: &operation.requestEnd, isPresent: presence.contains(.requestEnd), predicted: 0, .requestEnd, &mask, 1)
    }

    private mutating func codeStream(_ operation: inout Operation, isCall: Bool, mask: inout UInt64) {
        let place = connectionPlace(operation.connection)
        let predicted = isCall ? connections[place].callStream &+ 2 : connections[place].streamingStream
        var stream = Int64(operation.stream)
        coder.field(&stream, predicted: predicted, .stream, mask: &mask, bit: 4)
        operation.stream = narrowed(stream)
        if isCall { connections[place].callStream = stream } else { connections[place].streamingStream = stream }
        let predictedWatch = isCall ? 0 : connections[place].watchID
        code(&operation.watchID, predicted: predictedWatch, .watchID, &mask, 5)
        if !isCall { connections[place].watchID = operation.watchID }
    }

    private mutating func connectionPlace(_ number: UInt32) -> Int {
        // Recorders number connections from 0 or 1: nearly all are found by their number.
        if number < 1 << 12 {
            while connections.count <= number { connections.append(ConnectionState()) }
            return Int(number)
        }
        if let known = connectionPlaces[number] { return known }
        while connections.count < 1 << 12 { connections.append(ConnectionState()) }
        connections.append(ConnectionState())
        connectionPlaces[number] = connections.count - 1
        return connections.count - 1
    }

    /// What the method was inferred from, or what is left where it could not be. The calls of one table entry follow
    /// each other.
    private mutating func codeNaming(_ operation: inout Operation, mask: inout UInt64) {
        var inference = UInt32(operation.inference.rawValue)
        code(&inference, predicted: 0, .operationInference, &mask, 22)
        if let known = UInt8(exactly: inference).flatMap(Inference.init(rawValue:)) {
            operation.inference = known
        } else {
            coder.fail()
        }
        let isAmbiguous = operation.evidence == .ambiguous
        var candidates = Int64(bitPattern: operation.candidates.rawValue)
        code(&candidates, predicted: isAmbiguous ? previousCandidates : 0, .operationCandidates, &mask, 23)
        operation.candidates = MethodSet(rawValue: UInt64(bitPattern: candidates))
        if isAmbiguous { previousCandidates = candidates }
    }

    private mutating func codeSizes(
        _ operation: inout Operation, context place: Int, isEvent: Bool, mask: inout UInt64
    ) {
        while extras.count <= place { extras.append(SizeExtras()) }
        code(&operation.requestMessages, predicted: isEvent ? 0 : 1, .requestMessages, &mask, 16)
        code(&operation.responseMessages, predicted: 1, .responseMessages, &mask, 17)
        code(
            &operation.requestBytes, predicted: requestContent &+ extras[place].request, .requestBytes, &mask, 18)
        code(
            &operation.responseBytes, predicted: responseContent &+ extras[place].response, .responseBytes, &mask, 19)
        let requestFrames = framed(operation.requestBytes, messages: operation.requestMessages)
        let responseFrames = framed(operation.responseBytes, messages: operation.responseMessages)
        code(
            &operation.requestWireBytes, predicted: requestFrames &+ extras[place].requestWire, .requestWireBytes,
            &mask, 20)
        code(
            &operation.responseWireBytes, predicted: responseFrames &+ extras[place].responseWire, .responseWireBytes,
            &mask, 21)
        extras[place].request = operation.requestBytes &- requestContent
        extras[place].response = operation.responseBytes &- responseContent
        extras[place].requestWire = operation.requestWireBytes &- requestFrames
        extras[place].responseWire = operation.responseWireBytes &- responseFrames
    }

    /// Bytes of DATA frames of 16 KiB that carry these messages.
    private func framed(_ bytes: Int64, messages: UInt32) -> Int64 {
        let data = bytes &+ 5 &* Int64(messages)
        return data &+ 9 &* ((data &+ 16383) / 16384)
    }
}

/// How many records of each kind a block holds.
struct BatchCounts: Equatable {
    var operations = 0
    var parts = 0
    var compares = 0
    var keyValues = 0
    var keys = 0
    var texts = 0
    var observed = 0
    var connections = 0
    /// As many as operations in a replay, 0 in a recording.
    var replays = 0
}
