import Chains
import Consistency
import Wire

/// What clients of a default variant do.
extension ReplicaRun {
    /// The client's next operation begins, or it is done.
    mutating func ask(_ number: Int) {
        if isReadingLast {
            guard let key = toReadLast.popLast() else {
                slots[number].isDone = true
                return
            }
            return begin(number, .read, key: key)
        }
        if result.operations >= options.operations, healedAt != nil {
            slots[number].isDone = true
            if slots.allSatisfy(\.isDone) { readLast() }
            return
        }
        // Half reads, and of the rest most writes; a CAS asks for what the client last saw.
        let kinds: [ClientRequest.Kind] = [
            .read, .read, .read, .read, .read, .write, .write, .write, .compareAndSet, .delete,
        ]
        begin(number, kinds[numbers.below(kinds.count)], key: numbers.below(options.keys) + 1)
    }

    /// Once everybody is done, client 0 reads every key.
    private mutating func readLast() {
        isReadingLast = true
        toReadLast = Array((1...options.keys).reversed())
        slots[0].isDone = false
        schedule(.slot, 0, after: Self.slowThink)
    }

    private mutating func begin(_ number: Int, _ kind: ClientRequest.Kind, key: Int) {
        let client = number / options.window
        guard let placed = clients[client].directory.key(named: Self.name(key)) else { return }
        let known = slots[number].known[key]
        let writes = kind == .write || kind == .compareAndSet
        slots[number].kind = kind
        slots[number].key = key
        slots[number].value = writes ? recorder.newValue() : 0
        result.operations += 1
        if !kind.isRead { writesUnderWay += 1 }
        let value = slots[number].value
        slots[number].operation = recorder.begin(
            Self.historyKind(kind), client: number, key: key, value: value,
            expect: kind == .compareAndSet ? known.value : 0, entry: -1, at: network.now)
        if isReadingLast { finalReads.append(slots[number].operation) }
        if isLogging { note("C\(client) \(Self.words(kind)) k\(key)\(writes ? " v\(value)" : "")") }
        var bytes = [UInt8](repeating: 0, count: writes ? 16 : 0)
        if writes { bytes.storeBigEndian64(UInt64(value), at: 8) }
        let request = ClientRequest(kind, placed, expected: kind == .compareAndSet ? known.version : .none)
        let id = clients[client].submit(request, value: bytes.span, at: network.now, into: &output)
        slots[number].request = id ?? 0
        flush(client)
        if !isReadingLast { checkPlan() }
    }

    private static func historyKind(_ kind: ClientRequest.Kind) -> HistoryOperation.Kind {
        switch kind {
        case .read: .read
        case .write: .write
        case .delete: .delete
        case .compareAndSet, .compareAndDelete: .cas
        }
    }

    private static func words(_ kind: ClientRequest.Kind) -> String {
        switch kind {
        case .read: "reads"
        case .write: "writes"
        case .delete: "deletes"
        case .compareAndSet, .compareAndDelete: "compares and sets"
        }
    }

    mutating func receive(_ packet: Int, at client: Int) {
        let source = Endpoint(address: network.sender(of: packet), port: 8888)
        Self.hand(
            network.packetBytes, network.range(of: packet), from: source, to: &clients[client], at: network.now,
            into: &output)
        network.release(packet)
        flush(client, from: source)
    }

    // A span of one property and a change of another have to be arguments of one call, to be seen as apart.
    private static func hand(
        _ bytes: borrowing [UInt8], _ range: Range<Int>, from source: Endpoint, to client: inout ChainClient,
        at now: UInt64, into output: inout ClientOutput
    ) {
        client.receive(bytes.span.extracting(range), from: source, at: now, into: &output)
    }

    private static func send(
        _ outbox: borrowing Outbox, _ index: Int, over network: inout Network<Switch>, from client: Int
    ) {
        let datagram = outbox.datagrams[index]
        let target = Int(datagram.destination.address) - Int(Network<Switch>.firstSwitch)
        guard network.switches.indices.contains(target) else { return }
        network.send(
            outbox.bytes.span.extracting(datagram.bytes), from: client, port: clientPort, toSwitch: target)
    }

    /// Does what a client wants, and sees to it that it is called in time.
    mutating func flush(_ client: Int, from source: Endpoint? = nil) {
        for index in output.outbox.datagrams.indices {
            Self.send(output.outbox, index, over: &network, from: client)
        }
        for message in output.control {
            postFromClient(message, client)
        }
        let results = output.results
        let values = output.values
        output.removeAll()
        for ended in results { end(ended, values, of: client, from: source) }
        if let deadline = clients[client].nextDeadline, deadline < clientTimer[client] {
            let time = max(deadline, network.now &+ 1)
            clientTimer[client] = time
            network.schedule(at: time, argument: Cause.client.rawValue << 26 | client)
        }
    }

    private mutating func end(_ ended: ClientResult, _ values: [UInt8], of client: Int, from source: Endpoint?) {
        let first = client * options.window
        let found = (first..<first + options.window).first { slots[$0].operation >= 0 && slots[$0].request == ended.id }
        guard let number = found else { return }
        let slot = slots[number]
        let entry = source.map { Int($0.address) - Int(Network<Switch>.firstSwitch) } ?? -1
        result.retries += max(0, ended.transmissions - 1)
        switch ended.outcome {
        case .ok:
            let value = slot.kind.isRead ? Int(values.span.extracting(ended.value).bigEndian64(at: 8)) : slot.value
            recorder.end(slot.operation, value: value, entry: entry, at: network.now)
            // What a client expects where nothing is, is nothing, whoever deleted it.
            slots[number].known[slot.key] = value == 0 ? Known() : Known(version: ended.version, value: value)
            answered()
        case .absent:
            recorder.end(slot.operation, value: 0, entry: entry, at: network.now)
            slots[number].known[slot.key] = Known()
            answered()
        case .refused(let status):
            // A mismatch was judged against a committed value, any other refusal says nothing of it.
            let saw = slot.kind == .compareAndSet && status == .mismatch
            recorder.fail(slot.operation, at: saw ? Int64(network.now) : HistoryOperation.noReturn)
            result.refused += 1
        case .unknown: result.givenUp += 1
        }
        if isLogging { note("C\(client) k\(slot.key) \(ended.outcome)") }
        if !slot.kind.isRead { writesUnderWay -= 1 }
        slots[number].operation = -1
        schedule(.slot, number, after: pause())
    }

    private mutating func answered() {
        result.answered += 1
        if hasFailed, healedAt == nil { result.interruption = max(result.interruption, network.now - lastAnswer) }
        lastAnswer = network.now
    }

    private mutating func pause() -> UInt64 {
        let isWaiting = healedAt == nil && result.operations >= plan.endsAfter
        let mean = isWaiting ? max(plan.think, Self.slowThink) : plan.think
        return UInt64(numbers.below(Int(2 * mean) + 1))
    }
}
