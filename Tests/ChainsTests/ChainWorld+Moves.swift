import Chains
import Consistency
import Wire

/// What happens in a run: operations begin and end, things go wrong, messages are put on their way.
extension ChainWorld {
    // Operations.

    mutating func beginOperation(_ user: Int) {
        guard users[user].current == 0, users[user].remaining > 0 else { return }
        let key = isHealed ? users[user].remaining - 1 : numbers.below(plan.keys)
        guard let placed = users[user].client.directory.key(named: [UInt8(key)]) else {
            schedule(.operation(client: user), in: 5_000_000)
            return
        }
        users[user].remaining -= 1
        lastValue += 1
        var operation = HistoryOperation(
            client: Int64(user), key: 0, kind: .read, outcome: .unknown, value: lastValue, call: Int64(now))
        var request = ClientRequest(.read, placed)
        let choice = isHealed ? 0 : numbers.below(100)
        if choice >= 75 {
            // A version it saw, or that there is none.
            let known = users[user].known[key] ?? (.none, 0)
            operation.kind = .cas
            operation.expect = known.1
            request = ClientRequest(.compareAndSet, placed, expected: known.1 == 0 ? .none : known.0)
        } else if choice >= 70 {
            operation.kind = .delete
            operation.value = 0
            request = ClientRequest(.delete, placed)
        } else if choice >= 35 {
            operation.kind = .write
            request = ClientRequest(.write, placed)
        }
        users[user].operation = operation
        users[user].key = key
        var value = [UInt8](repeating: 0, count: 8)
        value.storeBigEndian64(UInt64(lastValue), at: 0)
        users[user].current = users[user].client.submit(request, value: value.span, at: now, into: &output) ?? 0
        flush(user)
    }

    mutating func endOperation(_ user: Int, _ result: ClientResult) {
        var operation = users[user].operation
        operation.return = Int64(now)
        operation.outcome = .ok
        let key = users[user].key
        switch result.outcome {
        case .ok where operation.kind == .read:
            operation.value = Int64(output.values.span.extracting(result.value).bigEndian64(at: 0))
            users[user].known[key] = (result.version, operation.value)
        case .ok: users[user].known[key] = (result.version, operation.value)
        case .absent:
            operation.value = 0
            users[user].known[key] = (.none, 0)
        case .refused(.mismatch): operation.outcome = .failed
        case .refused: operation.outcome = .unknown
        case .unknown:
            operation.outcome = .unknown
            operation.return = HistoryOperation.noReturn
        }
        note("end c\(user) k\(key) \(operation) \(result.version)", into: &log)
        let isWithoutEffect = if case .refused(let status) = result.outcome { status != .mismatch } else { false }
        if !isWithoutEffect { histories[key].operations.append(operation) }
        users[user].current = 0
        schedule(.operation(client: user), in: UInt64(numbers.below(isHealed ? 1_000_000 : plan.pause)))
    }

    // Trouble.

    mutating func makeTrouble() {
        let node = numbers.below(nodes.count)
        switch numbers.below(6) {
        case 0 where nodes[node].isUp && isSafeToLose(node):
            note("crash \(Endpoint.text(of: nodes[node].address))", into: &log)
            nodes[node].isUp = false
            disconnect(node)
            schedule(.start(node: node), in: UInt64(numbers.below(300_000_000)))
        case 1, 2:
            // The stream breaks, the node goes on.
            note("break \(Endpoint.text(of: nodes[node].address))", into: &log)
            disconnect(node)
            schedule(.connect(node: node), in: UInt64(numbers.below(400_000_000)))
        case 3: nodes[node].slowness = numbers.chance(0.5) ? 30 : 120
        case 4: controller.suspect(nodes[node].address, .told, at: now, into: &actions)
        default:
            controller.join(nodes[node].address, 0, position: numbers.below(4), at: now, into: &actions)
        }
    }

    /// Two nodes hold the state, or more than it takes is lost. A crash beside a node that is not in the chain any more
    /// or not yet, but the only one with the state, would be the end of the group.
    private func isSafeToLose(_ node: Int) -> Bool {
        let chain = controller.record.groups[0].entry.chain
        guard controller.record.groups[0].entry.state == .active else { return false }
        guard chain.contains(nodes[node].address) else { return true }
        return chain.filter { address in index(address).map { nodes[$0].isUp && nodes[$0].isConnected } ?? false }.count
            > 1
    }

    private mutating func disconnect(_ node: Int) {
        nodes[node].isConnected = false
        nodes[node].stream += 1
        controller.disconnected(node: nodes[node].address, at: now, into: &actions)
    }

    mutating func connect(_ node: Int) {
        guard nodes[node].isUp, !nodes[node].isConnected else { return }
        nodes[node].isConnected = true
        nodes[node].stream += 1
        nodes[node].slowness = 1
        controller.connected(node: nodes[node].address, at: now, into: &actions)
        schedule(.heartbeat(node: node, stream: nodes[node].stream), in: 0)
    }

    // Messages.

    mutating func sendFromNode(_ node: Int, _ message: ControlMessage) {
        let time = max(nodes[node].fromNode, now + streamDelay(slowness: nodes[node].slowness))
        nodes[node].fromNode = time
        events.insert(.controlFromNode(message, node: node, stream: nodes[node].stream), at: time)
    }

    mutating func flushController() {
        while !actions.isEmpty {
            let batch = actions
            actions.removeAll(keepingCapacity: true)
            for action in batch {
                switch action {
                case .store: break
                case .log(let event): note("\(event)", into: &log)
                case .send(let message, let address):
                    guard let node = index(address) else { break }
                    let time = max(nodes[node].toNode, now + streamDelay(slowness: nodes[node].slowness))
                    nodes[node].toNode = time
                    events.insert(.controlToNode(message, node: node, stream: nodes[node].stream), at: time)
                case .push(let message, let client):
                    let user = Int(client)
                    let time = max(users[user].toClient, now + users[user].lag + streamDelay(slowness: 1))
                    users[user].toClient = time
                    events.insert(.controlToClient(message, client: user), at: time)
                }
            }
        }
    }

    /// How many copies of a packet arrive.
    private mutating func copies() -> Int {
        if isHealed { return 1 }
        if numbers.chance(plan.loss) { return 0 }
        return numbers.chance(plan.duplication) ? 2 : 1
    }

    mutating func flushNode(_ node: Int) {
        for datagram in outbox.datagrams {
            let bytes = Array(outbox.bytes[datagram.bytes])
            for _ in 0..<copies() {
                let time = delay()
                if datagram.road == .edge {
                    schedule(.reply(bytes, from: nodes[node].address, to: datagram.destination), in: time)
                } else {
                    schedule(
                        .fabric(bytes, from: nodes[node].address, to: datagram.destination.address), in: time)
                }
            }
        }
        outbox.removeAll()
    }

    mutating func flush(_ user: Int) {
        for datagram in output.outbox.datagrams {
            let bytes = Array(output.outbox.bytes[datagram.bytes])
            for _ in 0..<copies() {
                schedule(.request(bytes, from: user, to: datagram.destination.address), in: delay())
            }
        }
        for message in output.control {
            schedule(.controlFromClient(message, client: user), in: streamDelay(slowness: 1))
        }
        for result in output.results where result.id == users[user].current { endOperation(user, result) }
        output.removeAll()
    }

    /// The first key whose clients saw what no register shows.
    var violation: Int? { histories.indices.first { !histories[$0].isLinearizable } }
}
