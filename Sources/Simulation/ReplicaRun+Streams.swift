import Chains
import Wire

/// Streams between controller, switches and clients, and what the controller wants done.
extension ReplicaRun {
    private enum Way: Int {
        case toStation = 0
        case fromStation = 1
    }

    private mutating func post(
        _ message: ControlMessage, _ cause: Cause, station: Int, _ way: Way, earliest: UInt64 = 0
    ) {
        let stream = 2 * station + way.rawValue
        let delay = Self.streamDelay.least + UInt64(numbers.below(Self.streamDelay.spread))
        let time = max(network.now &+ delay, lastLetter[stream], earliest)
        lastLetter[stream] = time
        let life = station < network.switches.count ? network.life(of: station) : 0
        let letter = Letter(message: message, station: station, life: life)
        let number: Int
        if let free = freeLetters.popLast() {
            number = free
            letters[number] = letter
        } else {
            number = letters.count
            letters.append(letter)
        }
        network.schedule(at: time, argument: cause.rawValue << 26 | number)
    }

    mutating func deliver(_ number: Int, _ event: Event) {
        guard let letter = letters[number], let cause = Cause(rawValue: Int(event.argument >> 26)) else { return }
        let station = letter.station
        let isNode = station < network.switches.count
        // A switch that stands still reads its stream later; a dead one's is closed.
        if isNode, case .toNode = cause, network.stations[station].pausedUntil > network.now,
            !network.stations[station].isDown
        {
            network.schedule(
                at: network.stations[station].pausedUntil, argument: cause.rawValue << 26 | number)
            return
        }
        letters[number] = nil
        freeLetters.append(number)
        if isNode, network.life(of: station) != letter.life || network.stations[station].isDown { return }
        switch cause {
        case .toNode: receive(letter.message, atNode: station)
        case .fromNode:
            controller.receive(
                letter.message, fromNode: Network<Switch>.address(ofSwitch: station), at: network.now, into: &actions)
            act()
        case .fromClient:
            let client = station - network.switches.count
            controller.receive(letter.message, fromClient: UInt64(client), into: &actions)
            act()
        default:
            let client = station - network.switches.count
            clients[client].receive(control: letter.message, at: network.now, into: &output)
            flush(client)
            startWhenReady()
        }
    }

    private mutating func receive(_ message: ControlMessage, atNode node: Int) {
        let clock = network.clock(of: node)
        let answer = network.switches[node].receive(control: message, at: clock)
        network.scheduleDeadline(of: node)
        guard let answer else { return }
        postFromNode(answer, node)
        // A lease is wanted as soon as there is something to answer.
        if case .activated = answer { postFromNode(network.switches[node].heartbeat(at: clock), node) }
    }

    private mutating func postFromNode(_ message: ControlMessage, _ node: Int) {
        post(message, .fromNode, station: node, .fromStation, earliest: stallUntil[node])
    }

    mutating func postFromClient(_ message: ControlMessage, _ client: Int) {
        post(message, .fromClient, station: network.switches.count + client, .fromStation)
    }

    mutating func beat(_ node: Int) {
        if network.stations[node].isDown { return }
        let pausedUntil = network.stations[node].pausedUntil
        guard pausedUntil <= network.now else {
            network.schedule(at: pausedUntil, argument: Cause.heartbeat.rawValue << 26 | node)
            return
        }
        postFromNode(network.switches[node].heartbeat(at: network.clock(of: node)), node)
        schedule(.heartbeat, node, after: controller.configuration.times.heartbeat)
    }

    /// Does what the controller wants, and sees to it that it is called in time.
    mutating func act() {
        var next = 0
        while next < actions.count {
            switch actions[next] {
            case .store: break
            case .send(let message, let address):
                let node = Int(address) - Int(Network<Switch>.firstSwitch)
                post(message, .toNode, station: node, .toStation, earliest: stallUntil[node])
            case .push(let message, let client):
                let earliest = client % 2 == 0 ? clientsStallUntil : 0
                post(
                    message, .toClient, station: network.switches.count + Int(client), .toStation, earliest: earliest)
            case .log(let event): heed(event)
            }
            next += 1
        }
        actions.removeAll(keepingCapacity: true)
        if let deadline = controller.nextDeadline {
            let time = max(deadline, network.now &+ 1)
            if time < controllerTimer {
                controllerTimer = time
                network.schedule(at: time, argument: Cause.controller.rawValue << 26)
            }
        }
    }

    private mutating func heed(_ event: ControllerEvent) {
        if isLogging { note("control: \(event)") }
        if hasFailed, case .activated = event { result.reconfigurations += 1 }
    }

    /// Clients begin when all of them know all keys and their chains.
    private mutating func startWhenReady() {
        guard !isStarted else { return }
        for client in clients {
            for key in 1...options.keys {
                guard let placed = client.directory.key(named: Self.name(key)),
                    client.directory.group(placed.group)?.state == .active
                else { return }
            }
        }
        isStarted = true
        network.faults = plan.links
        lastAnswer = network.now
        for slot in slots.indices { schedule(.slot, slot, after: UInt64(numbers.below(100_000))) }
    }
}
