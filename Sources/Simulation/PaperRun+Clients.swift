import Chains
import Consistency
import Wire

/// What clients of a paper variant do.
extension PaperRun {
    /// The client's next operation begins, or it is done.
    mutating func ask(_ number: Int) {
        if toWriteFirst > 0 {
            let key = options.keys - toWriteFirst + 1
            return begin(number, isWrite: true, key: key, target: 0)
        }
        if isReadingLast {
            guard let (key, target) = toReadLast.popLast() else {
                slots[number].isDone = true
                return
            }
            return begin(number, isWrite: false, key: key, target: target)
        }
        if result.operations >= options.operations, healedAt != nil {
            slots[number].isDone = true
            if slots.allSatisfy(\.isDone) { readLast() }
            return
        }
        let isWrite = numbers.below(2) == 0
        let key = numbers.below(options.keys) + 1
        begin(number, isWrite: isWrite, key: key, target: firstTarget(number, isWrite: isWrite))
    }

    /// Once everybody is done, client 0 reads every key: NetCRAQ's at every switch of the chain.
    private mutating func readLast() {
        isReadingLast = true
        let failed = result.failure == nil ? -1 : plan.position
        let tail = failed == options.nodes - 1 ? options.nodes : options.nodes - 1
        for key in (1...options.keys).reversed() {
            toReadLast.append((key, options.store == .netchain ? slots[0].readEntry : tail))
            guard options.store == .netcraq else { continue }
            for target in 0..<options.nodes where target != failed && target != tail {
                toReadLast.append((key, target))
            }
        }
        slots[0].isDone = false
        schedule(.slot, 0, after: Self.slowThink)
    }

    private mutating func firstTarget(_ number: Int, isWrite: Bool) -> Int {
        if options.store == .netchain { return isWrite ? slots[number].writeEntry : slots[number].readEntry }
        if !isWrite { return numbers.below(options.nodes) }
        if case .any = options.netCRAQ.entry { return numbers.below(options.nodes) }
        return slots[number].writeEntry
    }

    private mutating func begin(_ number: Int, isWrite: Bool, key: Int, target: Int) {
        slots[number].isWrite = isWrite
        slots[number].key = key
        slots[number].value = isWrite ? recorder.newValue() : 0
        slots[number].target = target
        result.operations += 1
        if isWrite { writesUnderWay += 1 }
        record(number)
        let id = client.begin(
            isWrite: isWrite, key: UInt32(key), value: UInt128(slots[number].value), at: target,
            rotates: !isReadingLast, now: network.now, into: &output)
        slots[number].request = id ?? 0
        send(number)
        if toWriteFirst == 0, !isReadingLast { checkPlan() }
    }

    private mutating func record(_ number: Int) {
        let slot = slots[number]
        slots[number].operation = recorder.begin(
            slot.isWrite ? .write : .read, client: number, key: slot.key, value: slot.value, entry: slot.target,
            at: network.now)
        if isReadingLast { finalReads.append((slots[number].operation, slot.target)) }
        if isLogging {
            note("C\(number / options.window) \(slot.isWrite ? "writes v\(slot.value) to" : "reads") k\(slot.key)")
        }
    }

    /// What the client machine has to send for `number`, which is looked at again when its time is over.
    private mutating func send(_ number: Int) {
        Self.send(output, over: &network, from: number / options.window)
        output.removeTransmissions()
        schedule(.slot, number, after: client.configuration.timeout)
    }

    // A span of one property and a change of another have to be arguments of one call, to be seen as apart.
    private static func send(
        _ output: borrowing PaperClientOutput, over network: inout Network<Switch>, from client: Int
    ) {
        for transmission in output.transmissions {
            network.send(
                output.bytes.span.extracting(transmission.payload), from: client,
                port: firstPort + UInt16(transmission.tag), toSwitch: transmission.target)
        }
    }

    /// Nothing came: the same of another switch, or no more.
    mutating func retry(_ number: Int) {
        client.expire(slots[number].request, at: network.now, into: &output)
        if !output.results.isEmpty {
            output.removeAll()
            result.givenUp += 1
            if isLogging { note("C\(number / options.window) gives up k\(slots[number].key)") }
            return end(number)
        }
        result.retries += 1
        if let target = output.transmissions.last?.target { slots[number].target = target }
        if slots[number].isWrite, options.retries == .several { record(number) }
        send(number)
    }

    mutating func receive(_ packet: Int, at client: Int) {
        let tag = Int(network.port(of: packet)) - Int(Self.firstPort)
        Self.receive(network, packet, tag, by: &self.client, into: &output)
        network.release(packet)
        guard let answer = output.results.popLast() else { return }
        let first = client * options.window
        guard
            let number = (first..<first + options.window).first(where: {
                slots[$0].operation >= 0 && slots[$0].request == answer.id
            })
        else { return }
        let slot = slots[number]
        let value = slot.isWrite ? slot.value : Int(truncatingIfNeeded: answer.value)
        recorder.end(slot.operation, value: value, entry: slot.target, at: network.now)
        result.answered += 1
        if hasFailed, healedAt == nil { result.interruption = max(result.interruption, network.now - lastAnswer) }
        lastAnswer = network.now
        if isLogging {
            let what = value == 0 ? "nothing" : "v\(value)"
            note("C\(client) has \(slot.isWrite ? "written" : "read") \(what) k\(slot.key)")
        }
        if slot.isWrite { slots[number].writeEntry = slot.target } else { slots[number].readEntry = slot.target }
        end(number)
    }

    private static func receive(
        _ network: borrowing Network<Switch>, _ packet: Int, _ tag: Int, by client: inout PaperClient,
        into output: inout PaperClientOutput
    ) {
        client.receive(
            network.packetBytes.span.extracting(network.range(of: packet)), tag: tag, at: network.now, into: &output)
    }

    /// The operation is over, one way or the other; the client goes on.
    private mutating func end(_ number: Int) {
        if slots[number].isWrite { writesUnderWay -= 1 }
        slots[number].operation = -1
        if toWriteFirst > 0 {
            toWriteFirst -= 1
            // Acknowledgements to the other switches are still under way.
            if toWriteFirst == 0 { return startAll() }
            return schedule(.slot, number, after: 0)
        }
        schedule(.slot, number, after: pause())
    }

    private mutating func pause() -> UInt64 {
        let isWaiting = healedAt == nil && result.operations >= plan.endsAfter
        let mean = isWaiting ? max(plan.think, Self.slowThink) : plan.think
        return UInt64(numbers.below(Int(2 * mean) + 1))
    }
}
