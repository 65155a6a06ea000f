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

    /// NetChain's clients know the places of their list, NetCRAQ's every switch.
    private func nextTarget(after target: Int) -> Int {
        (target + 1) % (options.store == .netchain ? options.nodes : network.switches.count)
    }

    private mutating func begin(_ number: Int, isWrite: Bool, key: Int, target: Int) {
        slots[number].isWrite = isWrite
        slots[number].key = key
        slots[number].value = isWrite ? recorder.newValue() : 0
        slots[number].target = target
        slots[number].attempts = 0
        slots[number].port = 0
        result.operations += 1
        if isWrite { writesUnderWay += 1 }
        record(number)
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

    private mutating func send(_ number: Int) {
        let slot = slots[number]
        // A retry that is the same operation keeps its port: whichever answer comes first is the answer.
        if slot.port == 0 || options.retries == .several {
            slots[number].port = nextPort
            nextPort = nextPort == .max ? 1024 : nextPort + 1
        }
        slots[number].attempts += 1
        codec.store(slot.isWrite, key: UInt32(slot.key), value: UInt128(slot.value), in: &request)
        Self.send(
            request, over: &network, from: number / options.window, port: slots[number].port, toSwitch: slot.target)
        schedule(.slot, number, after: Self.retryAfter)
    }

    // A span of one property and a change of another have to be arguments of one call, to be seen as apart.
    private static func send(
        _ request: borrowing [UInt8], over network: inout Network<Switch>, from client: Int, port: UInt16,
        toSwitch target: Int
    ) {
        network.send(request.span, from: client, port: port, toSwitch: target)
    }

    /// Nothing came: the same of another switch, or no more.
    mutating func retry(_ number: Int) {
        if slots[number].attempts >= Self.attemptsMax {
            result.givenUp += 1
            if isLogging { note("C\(number / options.window) gives up k\(slots[number].key)") }
            return end(number)
        }
        result.retries += 1
        if !isReadingLast { slots[number].target = nextTarget(after: slots[number].target) }
        if slots[number].isWrite, options.retries == .several { record(number) }
        send(number)
    }

    mutating func receive(_ packet: Int, at client: Int) {
        let port = network.port(of: packet)
        let reply = codec.reply(network.packetBytes, network.range(of: packet))
        network.release(packet)
        let first = client * options.window
        guard let reply,
            let number = (first..<first + options.window).first(where: {
                slots[$0].operation >= 0 && slots[$0].port == port
            }), slots[number].isWrite == reply.isWrite, slots[number].key == Int(reply.key)
        else { return }
        let slot = slots[number]
        let value = slot.isWrite ? slot.value : Int(truncatingIfNeeded: reply.value)
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
