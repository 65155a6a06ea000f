package import CaptureFiles
package import Etcd
import HTTP2
package import Packets
import TLSRecords
package import Wire

/// Decodes packets into batches of operations: link, IP and TCP, then TLS where there is a key log, then HTTP/2, then
/// the etcd API, one packet at a time.
///
/// A machine: it reads no file and no clock. The owner hands in packets until `isBatchFull`, takes the batch, and goes
/// on; at the end it calls `finish` and takes the last one. Memory is bounded by `RecordingLimits`, whatever comes in.
package struct RecordingPipeline {
    private let limits: RecordingLimits
    private var tracker: ConnectionTracker
    /// By the tracker's slots; the calls of a connection lie beside its reader, not in it, so that frames can be lent
    /// from one to the other without a copy.
    private var connections: [RecordedConnection] = []
    private var calls: [ConnectionCalls] = []
    private var context: CallContext
    /// What connections that are over leave to later ones, so that opening one costs no allocation.
    private var idleReaders: [ConnectionReader] = []
    private var idleCalls: [ConnectionCalls] = []
    /// Memory for the text of an address.
    private var addressText: [UInt8] = []
    private var observed = ObservedState()
    private var decryption: Decryption
    private var streamEvents: [StreamEvent] = []
    /// The first of them that was not decoded, when the batch was full before the last one.
    private var nextStreamEvent = 0
    private var frameEvents: [HTTP2Event] = []
    /// What ended connections counted; the open ones are added when a batch is taken.
    private var endedHTTP2 = HTTP2Health()
    private var contents = ContentCounts()
    /// Bytes that all readers hold, as far as it is accounted.
    private var readerBytes = 0
    private var readersForgotten: Int64 = 0
    private var sawRequestBytes = false
    private var sawResponseBytes = false
    private var packetCount = 0
    private var lastTime: CaptureTime?
    private var isFinished = false
    /// A recording may be written in several parts, each a trace of its own: the number of this one, and the totals
    /// where it began.
    private var part: UInt32 = 1
    private var partStart = RecordingHealth()
    private var observedKeysDropped: Int64 = 0

    /// What the source of the packets counted: packets dropped by the kernel, damages of the file. Set by the owner
    /// before it takes a batch.
    package var captureHealth = RecordingHealth()

    package init(ports: [UInt16], limits: RecordingLimits = RecordingLimits()) {
        self.limits = limits
        tracker = ConnectionTracker(ports: ports, limits: limits.tracker)
        decryption = Decryption(limits: limits.tls)
        context = CallContext(limits: limits.calls)
        context.output.batch.operations.reserveCapacity(limits.batchOperations)
    }

    /// Whether the batch should be taken before more packets are handed in.
    package private(set) var isBatchFull = false
    /// Records in the batch when that was last looked at.
    private var notedRecords = 0

    /// Operations in the batch now.
    package var pendingOperations: Int { context.output.batch.operations.count }

    /// Whether any connection carried HTTP/2 so far.
    package var sawHTTP2: Bool { contents.http2 > 0 }
    /// Connections that are encrypted, without keys.
    package var connectionsEncrypted: Int { contents.tls }
    /// The direction of which no connection had payload, where the other one had: the recording saw half of what was
    /// said.
    package var directionWithoutPayload: Direction? {
        sawRequestBytes == sawResponseBytes ? nil : sawRequestBytes ? .response : .request
    }
    /// What the connection tracker saw and lost.
    package var trackerHealth: TrackerHealth { tracker.health }

    /// Decodes packets, from number `first` to the one before `end` (or the last), until the batch is full.
    ///
    /// Returns the number of the first packet that was not decoded to its end; `end` when all were. After the batch was
    /// taken, this is to be called with the same packets and that number.
    package mutating func receive(_ packets: borrowing PacketBatch, from first: Int, to end: Int? = nil) -> Int {
        let bytes = packets.storage.span
        let end = min(end ?? .max, packets.packets.count)
        var index = first
        while index < end {
            let packet = packets.packets[index]
            let captured = bytes.extracting(packet.bytes)
            if streamEvents.isEmpty {
                tracker.receive(
                    captured, originalLength: packet.originalLength, linkType: packet.linkType, at: packet.time,
                    into: &streamEvents)
                lastTime = packet.time
                packetCount += 1
            }
            if !streamEvents.isEmpty, !decodeStreamEvents(packet: captured) { break }
            index += 1
            if isBatchFull { break }
        }
        return index
    }

    /// Takes the next bytes of the key log that is followed, in pieces of any size. Connections that wait for their
    /// secrets are tried again.
    package mutating func receiveKeyLog(_ bytes: Span<UInt8>) {
        decryption.receiveKeyLog(bytes)
        decryptWaiting()
    }

    /// The key log that is followed will not grow any more: its last line needs no line's end.
    package mutating func finishKeyLog() {
        decryption.finishKeyLog()
        decryptWaiting()
    }

    /// Takes the key logs that stand in the capture itself, each of them whole. To be called before its packets.
    package mutating func receiveSecrets(of packets: borrowing PacketBatch) {
        for secrets in packets.secrets where secrets.kind == DecryptionSecrets.keyLog {
            decryption.receiveKeyLog(block: secrets.bytes.span)
        }
        if !packets.secrets.isEmpty { decryptWaiting() }
    }

    /// Whether a connection waits for secrets that the key log may bring.
    package var isWaitingForSecrets: Bool { decryption.isWaiting }
    /// Connections of which the key log holds secrets, and lines of it that are malformed.
    package var keyLogConnections: Int { decryption.log.connectionCount }
    package var keyLogMalformedLines: Int { decryption.log.malformedLines }

    /// The capture is over: what is held is decoded or given up, open calls are emitted as unfinished, one connection
    /// after the other. False when the batch was full before the last one: it should be taken, and this called again.
    /// When it returns true, the last batch is to be taken.
    package mutating func finish() -> Bool {
        let nothing: [UInt8] = []
        if streamEvents.isEmpty {
            tracker.finish(at: lastTime ?? CaptureTime(nanoseconds: 0), into: &streamEvents)
        }
        isFinished = decodeStreamEvents(packet: nothing.span)
        return isFinished
    }

    /// Hands the batch to `body`, then empties it.
    ///
    /// With `endsPart`, the batches after it are another trace's: they tell of each connection anew, count from 0, and
    /// observe the state before them. Open calls, and all that is known of the connections, go on.
    package mutating func takeBatch<Failure: Error>(
        endsPart: Bool = false, _ body: (borrowing OperationBatch) throws(Failure) -> Void
    ) throws(Failure) {
        observed.observe(&context.output.batch, from: 0)
        if isFinished || endsPart { observed.finish(&context.output.batch) }
        let total = health
        context.output.batch.health = total - partStart
        try body(context.output.batch)
        context.output.batch.removeAll()
        isBatchFull = false
        notedRecords = 0
        guard endsPart else { return }
        part += 1
        partStart = total
        observedKeysDropped += observed.droppedFacts
        observed = ObservedState()
    }

    /// Whether this part has nothing to tell, not even of packets lost.
    package var isPartEmpty: Bool { pendingOperations == 0 && health == partStart }

    /// Totals from the start of the recording until now.
    package var health: RecordingHealth {
        var health = captureHealth
        var http2 = endedHTTP2
        for connection in connections where connection.isOpen { http2 = http2 + connection.reader.health }
        health.take(tracker.health)
        health.take(http2)
        health.take(decryption.totals)
        health.take(contents)
        health.take(context.output.health)
        health[.connectionsEvicted] += readersForgotten
        health[.observedKeysDropped] = observedKeysDropped + observed.droppedFacts
        health[.keyLogLinesMalformed] = Int64(decryption.log.malformedLines)
        return health
    }

    // MARK: From stream events to operations

    /// Decodes the events until the batch is full; whether that were all.
    private mutating func decodeStreamEvents(packet: Span<UInt8>) -> Bool {
        while nextStreamEvent < streamEvents.count {
            if isBatchFull { return false }
            let event = streamEvents[nextStreamEvent]
            switch event.kind {
            case .opened:
                open(event.slot)
            case .data:
                switch event.source {
                case .packet:
                    decode(packet.extracting(event.bytes), event)
                case .released:
                    decode(tracker.released.span.extracting(event.bytes), event)
                }
            case .gap:
                _ = begin(event)
                if connections[event.slot].isTLS {
                    decryption.receiveGap(event)
                } else {
                    connections[event.slot].reader.receiveGap(
                        event.count, event.direction, at: event.time, into: &frameEvents)
                    decodeFrames(event.slot, input: packet, at: event.time)
                }
            case .finished, .reset:
                break
            case .closed:
                if !close(event.slot, at: event.time) { return false }
            }
            nextStreamEvent += 1
        }
        streamEvents.clear()
        nextStreamEvent = 0
        return true
    }

    private mutating func open(_ slot: Int) {
        let tracked = tracker.connection(slot)
        let number = UInt32(truncatingIfNeeded: tracked.number)
        var connection = RecordedConnection(number: number, limits: limits)
        if var idle = idleReaders.popLast() { connection.reader.takeMemory(of: &idle) }
        var newCalls = ConnectionCalls(
            connection: number, isFromStart: tracked.start == .seen, limits: limits.calls)
        if var idle = idleCalls.popLast() { newCalls.takeMemory(of: &idle) }
        if slot < connections.count {
            connections[slot] = connection
            calls[slot] = newCalls
        } else {
            precondition(slot == connections.count, "slots are given out densely")
            connections.append(connection)
            calls.append(newCalls)
        }
    }

    private mutating func decode(_ bytes: Span<UInt8>, _ event: StreamEvent) {
        if event.direction == .request { sawRequestBytes = true } else { sawResponseBytes = true }
        if let growth = connections[event.slot].readOn(
            bytes, event.direction, at: event.time, packet: packetCount, into: &frameEvents)
        {
            readerBytes += growth
            decodeFrames(event.slot, input: bytes, at: event.time)
            if readerBytes > limits.readerBytes { forgetReaders(besides: event.slot, at: event.time) }
            return
        }
        let isFirst = begin(event)
        if connections[event.slot].isTLS || beginsTLS(bytes, event, isFirst: isFirst) {
            decryption.receive(bytes, event)
            finishTLS(event.slot)
        } else {
            readerBytes += connections[event.slot].read(bytes, event.direction, at: event.time, into: &frameEvents)
            decodeFrames(event.slot, input: bytes, at: event.time)
        }
        connections[event.slot].lastPacket = packetCount
        if readerBytes > limits.readerBytes { forgetReaders(besides: event.slot, at: event.time) }
        countContent(event.slot)
    }

    private mutating func countContent(_ slot: Int) {
        if let (before, now) = connections[slot].changeOfContent() {
            contents.count(before, -1)
            contents.count(now, 1)
        }
    }

    // MARK: TLS

    /// Whether the connection turns out to be TLS with these bytes; what came before is not looked at again.
    private mutating func beginsTLS(_ bytes: Span<UInt8>, _ event: StreamEvent, isFirst: Bool) -> Bool {
        if connections[event.slot].content == .http2 { return false }
        let isStart = isFirst && tracker.connection(event.slot)[event.direction].beginsAtStart
        guard TLSConnection.mayBegin(with: bytes, atStart: isStart) else { return false }
        var midway: [Direction] = []
        if !isStart { midway.append(event.direction) }
        if connections[event.slot].hasBegun(event.direction.opposite) { midway.append(event.direction.opposite) }
        decryption.begin(event.slot, midway: midway)
        connections[event.slot].isTLS = true
        connections[event.slot].isEncrypted = true
        connections[event.slot].reader = ConnectionReader(limits: limits.http2)
        return true
    }

    /// Hands what was decrypted to the reader.
    private mutating func decodePlaintext(_ slot: Int) {
        if decryption.output.events.isEmpty { return }
        // Lent from outside of `self` while the rest of it is at work.
        var output = TLSOutput()
        swap(&output, &decryption.output)
        let nothing: [UInt8] = []
        for event in output.events {
            switch event.kind {
            case .started:
                connections[slot].reader.begin(event.direction, atStart: true)
            case .data:
                let bytes = output.plaintext.span.extracting(event.bytes)
                connections[slot].reader.receive(bytes, event.direction, at: event.time, into: &frameEvents)
                decodeFrames(slot, input: bytes, at: event.time)
            case .gap:
                connections[slot].reader.receiveGap(
                    event.isExact ? event.count : event.count &+ Self.beyondAnyFrame, event.direction, at: event.time,
                    into: &frameEvents)
                decodeFrames(slot, input: nothing.span, at: event.time)
            }
        }
        output.removeAll()
        swap(&output, &decryption.output)
    }

    /// Where it is not known how many bytes are missing, as many as end every frame (RFC 9113 §4.1): the next one is
    /// looked for.
    private static let beyondAnyFrame = 1 << 24

    /// Tries again what waits for secrets.
    private mutating func decryptWaiting() {
        for slot in decryption.waiting {
            decryption.receiveSecrets(slot)
            finishTLS(slot)
            countContent(slot)
        }
    }

    /// Reads what was decrypted just now, and takes note of what the connection has become.
    private mutating func finishTLS(_ slot: Int) {
        decodePlaintext(slot)
        connections[slot].isEncrypted = !decryption.isReadable(slot)
        readerBytes += connections[slot].growth(tlsBytes: decryption.memoryBytes(slot))
    }

    /// At the first bytes of a direction, seen or lost: tells the reader whether they are the first of the connection.
    /// Says whether they are the first of the direction.
    private mutating func begin(_ event: StreamEvent) -> Bool {
        let isFirst = connections[event.slot].begins(event.direction)
        if isFirst {
            let atStart = tracker.connection(event.slot)[event.direction].beginsAtStart
            if !connections[event.slot].isTLS {
                connections[event.slot].reader.begin(event.direction, atStart: atStart)
            } else if !atStart {
                decryption.joinMidway(event.slot, event.direction)
            }
        }
        if !connections[event.slot].hasPayload {
            connections[event.slot].hasPayload = true
            writeConnection(event.slot)
        }
        return isFirst
    }

    private mutating func decodeFrames(_ slot: Int, input: Span<UInt8>, at time: CaptureTime) {
        if frameEvents.isEmpty { return }
        connections[slot].deliver(frameEvents, input: input, at: time, to: &calls[slot], &context)
        frameEvents.clear()
        noteBatch()
        if calls[slot].tableIsRefuted {
            calls[slot].tableIsRefuted = false
            connections[slot].reader.forgetTable(.request)
        }
        if !connections[slot].userAgentWritten, !calls[slot].userAgent.isEmpty {
            connections[slot].userAgentWritten = true
            writeConnection(slot)
        } else if connections[slot].part != part, connections[slot].hasPayload {
            writeConnection(slot)
        }
    }

    /// Leaves the memory of a closed connection to later ones, as far as that is little. The slot itself may stay free
    /// for long.
    private mutating func leaveMemory(_ slot: Int) {
        var closed = RecordedConnection(closed: connections[slot].number)
        swap(&closed, &connections[slot])
        var ended = ConnectionCalls(connection: closed.number, isFromStart: false)
        swap(&ended, &calls[slot])
        guard idleReaders.count < limits.idleConnections, closed.reader.memoryBytes <= limits.idleReaderBytes else {
            return
        }
        idleReaders.append(closed.reader)
        idleCalls.append(ended)
    }

    /// Takes note of how full the batch is; asked for far more often than it changes.
    private mutating func noteBatch() {
        // Nothing grows without one of these.
        let records = context.output.batch.operations.count + context.output.batch.connections.count
        if records == notedRecords { return }
        notedRecords = records
        isBatchFull =
            context.output.batch.operations.count >= limits.batchOperations
            || context.output.batch.byteCount >= limits.batchBytes
    }

    /// Ends the connection. False when the batch is full before all of its calls are written: this is to be called
    /// again.
    private mutating func close(_ slot: Int, at time: CaptureTime) -> Bool {
        if !connections[slot].isRead {
            if connections[slot].isTLS {
                decryption.finish(slot, at: time)
                decodePlaintext(slot)
            }
            connections[slot].reader.finish(at: time, into: &frameEvents)
            let nothing: [UInt8] = []
            decodeFrames(slot, input: nothing.span, at: time)
            connections[slot].isRead = true
        }
        let isWritten = calls[slot].finish(at: time, upTo: limits.batchOperations, context: &context)
        noteBatch()
        guard isWritten else { return false }
        endedHTTP2 = endedHTTP2 + connections[slot].health()
        if connections[slot].hasPayload { writeConnection(slot) }
        connections[slot].isOpen = false
        readerBytes -= connections[slot].readerBytes
        leaveMemory(slot)
        return true
    }

    /// Forgets what the longest idle readers know, until a quarter of the room is free. Their connections go on as if
    /// they were joined now.
    private mutating func forgetReaders(besides busy: Int, at time: CaptureTime) {
        let idle = connections.indices.filter {
            connections[$0].isOpen && connections[$0].readerBytes > 0 && $0 != busy
        }
        .sorted { connections[$0].lastPacket < connections[$1].lastPacket }
        for slot in idle {
            if readerBytes <= limits.readerBytes / 4 * 3 { break }
            connections[slot].reader.finish(at: time, into: &frameEvents)
            let nothing: [UInt8] = []
            decodeFrames(slot, input: nothing.span, at: time)
            endedHTTP2 = endedHTTP2 + connections[slot].reader.health
            readerBytes -= connections[slot].readerBytes
            connections[slot].readerBytes = 0
            connections[slot].reader = ConnectionReader(limits: limits.http2, content: connections[slot].content)
            if connections[slot].isTLS { decryption.forget(slot) }
            readersForgotten += 1
            calls[slot].forgetTables(context: &context)
            for direction in Direction.allCases {
                let lost = HTTP2Event(kind: .desynchronized, direction: direction, stream: 0, time: time)
                connections[slot].deliver([lost], input: nothing.span, at: time, to: &calls[slot], &context)
            }
            if connections[slot].part != part, connections[slot].hasPayload { writeConnection(slot) }
        }
        noteBatch()
    }

    /// Tells the trace what is known of the connection now; replaces what it was told before.
    private mutating func writeConnection(_ slot: Int) {
        connections[slot].part = part
        let tracked = tracker.connection(slot)
        let client = textNumber(of: tracked.client)
        let server = textNumber(of: tracked.server)
        var record = ConnectionRecord(
            number: connections[slot].number, client: client, server: server, firstTime: tracked.firstTime)
        record.lastTime = tracked.lastTime
        record.start = tracked.start == .seen ? .seen : .midway
        let userAgent = calls[slot].userAgent
        record.userAgent = context.output.batch.texts.number(of: userAgent.span)
        record.isClosed = tracked.isClosed
        record.requestBytes = Int64(tracked.request.payloadBytes)
        record.responseBytes = Int64(tracked.response.payloadBytes)
        record.lostBytes = Int64(tracked.request.lostBytes) + Int64(tracked.response.lostBytes)
        record.gaps = Int64(tracked.request.gaps) + Int64(tracked.response.gaps)
        connections[slot].describe(in: &record)
        context.output.batch.connections.append(record)
    }

    private mutating func textNumber(of endpoint: Endpoint) -> TextNumber {
        // Lent from outside of `self`.
        var text: [UInt8] = []
        swap(&text, &addressText)
        defer { swap(&text, &addressText) }
        text.removeAll(keepingCapacity: true)
        endpoint.appendText(to: &text)
        return context.output.batch.texts.number(of: text.span)
    }
}
