import Chains
import Testing
import Wire

@Suite("Controller: chains, leases, keys, sessions")
struct ControllerTests {
    @Test("a chain is formed when all its nodes are there, and activated from tail to head")
    func forming() {
        for mutations in [[], Mutations.activatesHeadFirst] {
            var bench = ControlBench(nodes: 4) { $0.mutations = mutations }
            bench.connect([0, 1])
            #expect(bench.chain.isEmpty)
            bench.connect([2, 3])
            #expect(bench.chain == [0, 1, 2] && bench.entry.epoch == 1 && bench.entry.state == .active)
            #expect(bench.activations(1) == (mutations.isEmpty ? [2, 1, 0] : [0, 1, 2]))
        }
    }

    @Test("an epoch is stored as sealed before anybody is told, and as active before anybody is activated")
    func stores() {
        var bench = ControlBench(nodes: 3)
        bench.connect([0, 1, 2])
        bench.done = []
        bench.disconnect(1)
        bench.pass(milliseconds: 100, beating: [0, 2])
        var states: [GroupEntry.State] = []
        for action in bench.done {
            switch action {
            case .store(let record): states.append(record.groups[0].entry.state)
            case .send(.seal, _): #expect(states == [.sealed])
            case .send(.activate, _): #expect(states == [.sealed, .active])
            default: break
            }
        }
        #expect(states == [.sealed, .active] && bench.chain == [0, 2])
    }

    @Test("whoever is left out has no lease any more when the next chain serves", arguments: [0, 1, 2])
    func leaseWait(_ failed: Int) {
        var bench = ControlBench(nodes: 3)
        bench.connect([0, 1, 2])
        bench.pass(milliseconds: 95, beating: [0, 1, 2])
        // The last lease was granted at 90 ms; 50 ms, a thousandth of that and 5 ms later it is over.
        bench.disconnect(failed)
        let others = [0, 1, 2].filter { $0 != failed }
        bench.pass(milliseconds: 50, beating: others)
        #expect(bench.entry.state == .sealed)
        bench.pass(milliseconds: 1, beating: others)
        #expect(bench.entry.state == .active && bench.chain == others && bench.entry.epoch == 2)
    }

    @Test("a switch that is silent for 40 ms is left out, and so is a survivor that does not answer SEAL for 20")
    func silence() {
        var bench = ControlBench(nodes: 4) { $0.chainLength = 4 }
        bench.connect([0, 1, 2, 3])
        bench.mute = [1]
        bench.pass(milliseconds: 39, beating: [0, 1, 2, 3])
        #expect(bench.entry.epoch == 1)
        bench.mute = [1, 2]
        bench.pass(milliseconds: 2, beating: [0, 1, 2, 3])
        #expect(bench.entry.epoch == 2 && bench.entry.state == .sealed)
        bench.pass(milliseconds: 80, beating: [0, 3])
        #expect(bench.entry.state == .active && bench.chain == [0, 3])
    }

    @Test("the last node of a chain is not given up, and serves on when it is back")
    func lastNode() {
        var bench = ControlBench(nodes: 1)
        bench.connect([0])
        bench.mute = [0]
        bench.pass(milliseconds: 60, beating: [0])
        #expect(bench.entry.epoch == 1)
        bench.mute = []
        bench.pass(milliseconds: 10, beating: [0])
        #expect(bench.chain == [0] && bench.entry.state == .active)
    }

    @Test("a switch that was restarted is no member: it is left out, and joins again with a copy")
    func restartedSwitch() {
        var bench = ControlBench(nodes: 3)
        bench.connect([0, 1, 2])
        bench.perform { $0.place([1], width: .bytes16, into: &$2) }
        bench.switches[1] = ControlBench.newSwitch(1)
        bench.pass(milliseconds: 100, beating: [0, 1, 2])
        #expect(bench.chain == [0, 1, 2] && bench.entry.epoch == 3)
        let counts = bench.switches[1].receive(control: .counters(CountersRequest(group: 0, cursor: 0)), at: bench.now)
        guard case .counts(let rows)? = counts else { return #expect(Bool(false)) }
        #expect(rows.rows.map(\.key) == [ChainKey(low: 1)])
    }

    @Test("a restarted controller goes on with the chains that serve, and waits for leases it does not know")
    func restartedController() {
        var bench = ControlBench(nodes: 3)
        bench.connect([0, 1, 2])
        bench.pass(milliseconds: 20, beating: [0, 1, 2])
        bench.controller = Controller(bench.controller.configuration, record: bench.controller.record, at: bench.now)
        bench.connect([0, 1, 2])
        bench.pass(milliseconds: 20, beating: [0, 1, 2])
        #expect(bench.entry.epoch == 1)

        bench.controller = Controller(bench.controller.configuration, record: bench.controller.record, at: bench.now)
        bench.connect([0, 1])
        bench.mute = [2]
        // Node 2 is taken for failed 40 ms after the start, and its lease for over after 55.05 ms.
        bench.pass(milliseconds: 55, beating: [0, 1])
        #expect(bench.entry.state == .sealed)
        bench.pass(milliseconds: 1, beating: [0, 1])
        #expect(bench.chain == [0, 1] && bench.entry.epoch == 2)
    }

    @Test("a controller that was stopped between two chains seals again")
    func restartedWhileSealed() {
        var bench = ControlBench(nodes: 3)
        bench.connect([0, 1, 2])
        bench.disconnect(2)
        #expect(bench.entry.state == .sealed && bench.entry.epoch == 2)
        bench.controller = Controller(bench.controller.configuration, record: bench.controller.record, at: bench.now)
        bench.connect([0, 1])
        bench.pass(milliseconds: 120, beating: [0, 1])
        #expect(bench.chain == [0, 1] && bench.entry.state == .active && bench.entry.epoch == 3)
    }

    @Test("a node that still takes part in a chain it was removed from gets no lease, and is told to seal")
    func removedNodes() {
        var bench = ControlBench(nodes: 3) { $0.limits.joins = 0 }
        bench.connect([0, 1, 2])
        bench.mute = [2]
        bench.perform { $0.suspect(ControlBench.address(2), .told, at: $1, into: &$2) }
        bench.pass(milliseconds: 70, beating: [0, 1])
        #expect(bench.chain == [0, 1])
        bench.mute = []
        bench.done = []
        bench.beat([2])
        let leases = bench.done.filter { if case .send(.lease, _) = $0 { true } else { false } }
        #expect(leases.isEmpty)
        #expect(
            bench.done.contains(
                .send(.seal(GroupEpoch(group: 0, epoch: 2)), toNode: ControlBench.address(2))))
        bench.beat([2])
        #expect(bench.done.contains { if case .send(.lease, ControlBench.address(2)) = $0 { true } else { false } })
    }

    @Test("a key is shown once the whole chain has it in one epoch, and its number is never given twice")
    func keys() {
        var bench = ControlBench(nodes: 3) { $0.limits.joins = 0 }
        bench.connect([0, 1, 2])
        bench.mute = [2]
        bench.perform { $0.place([7], width: .bytes128, into: &$2) }
        #expect(bench.controller.directory.keys.isEmpty)
        bench.perform { $0.suspect(ControlBench.address(2), .told, at: $1, into: &$2) }
        bench.pass(milliseconds: 100, beating: [0, 1])
        let placed = PlacedKey(name: [7], key: ChainKey(low: 1), group: 0, width: .bytes128)
        #expect(bench.controller.directory.keys == [placed])
        bench.perform { #expect($0.place([7], width: .bytes16, into: &$2) == nil) }

        bench.perform { $0.evict([7], at: $1, into: &$2) }
        #expect(bench.controller.directory.keys.isEmpty && bench.controller.record.keys.count == 1)
        bench.pass(milliseconds: 999, beating: [0, 1])
        #expect(bench.controller.record.keys.count == 1)
        bench.pass(milliseconds: 1, beating: [0, 1])
        #expect(bench.controller.record.keys.isEmpty)
        bench.perform { #expect($0.place([7], width: .bytes16, into: &$2) == ChainKey(low: 2)) }
    }

    @Test("with the mutation, a key's number is given twice")
    func reusedKeys() {
        var bench = ControlBench(nodes: 1) { $0.mutations = .reusesKeys }
        bench.connect([0])
        bench.perform { $0.place([7], width: .bytes16, into: &$2) }
        bench.perform { $0.evict([7], at: $1, into: &$2) }
        bench.pass(milliseconds: 1000, beating: [0])
        bench.perform { #expect($0.place([8], width: .bytes16, into: &$2) == ChainKey(low: 1)) }
    }

    @Test("sessions are given out once, also by a controller that was restarted")
    func sessions() {
        var bench = ControlBench(nodes: 1)
        var given: [UInt32] = []
        for _ in 0..<3 {
            for _ in 0..<70 { bench.perform { $0.receive(.slotRequest, fromClient: 5, into: &$2) } }
            bench.controller = Controller(bench.controller.configuration, record: bench.controller.record, at: 0)
        }
        for case .push(.slot(let slot), 5) in bench.done { given.append(slot) }
        #expect(given.count == 210 && Set(given).count == 210 && !given.contains(0))
    }

    @Test("subscribers get the directory whole, then each change; closing a session is a new epoch of the same chain")
    func directory() {
        var bench = ControlBench(nodes: 2)
        bench.perform { $0.receive(.subscribe, fromClient: 3, into: &$2) }
        bench.connect([0, 1])
        bench.perform { $0.close(slots: [4], in: 0, at: $1, into: &$2) }
        var groups: [GroupEntry] = []
        for case .push(.directory(let update), 3) in bench.done { groups += update.groups }
        #expect(groups.map(\.epoch) == [0, 1, 2, 2])
        #expect(groups.map(\.state) == [.sealed, .active, .sealed, .active])
        #expect(bench.chain == [0, 1] && bench.controller.record.groups[0].closedSlots == [4])
    }

    @Test("who subscribes while a chain is activated hears of it as sealed, and then that its head is active")
    func directoryWhileActivating() {
        var bench = ControlBench(nodes: 2)
        bench.connect([0, 1])
        bench.mute = [0, 1]
        bench.perform { $0.close(slots: [4], in: 0, at: $1, into: &$2) }
        let sealed = ControlMessage.sealed(SealReport(group: 0, epoch: 2, keyCount: 0, highest: .none))
        let activated = ControlMessage.activated(GroupEpoch(group: 0, epoch: 2))
        var states: [GroupEntry.State] = []
        func hear(_ message: ControlMessage, from node: Int) {
            bench.done = []
            bench.perform { $0.receive(message, fromNode: ControlBench.address(node), at: $1, into: &$2) }
            bench.perform { $0.receive(.subscribe, fromClient: 3, into: &$2) }
            for case .push(.directory(let update), 3) in bench.done { states += update.groups.map(\.state) }
        }
        hear(sealed, from: 0)
        hear(sealed, from: 1)
        #expect(bench.activations(2) == [1] && bench.entry.state == .active)
        hear(activated, from: 1)
        #expect(states == [.sealed, .sealed, .sealed])
        hear(activated, from: 0)
        #expect(states == [.sealed, .sealed, .sealed, .active, .active])
    }

    @Test("groups are spread by virtual nodes over distinct switches, and lose little when one is gone")
    func placement() {
        var configuration = ControllerConfiguration(nodes: (0..<8).map(ControlBench.address))
        configuration.virtualNodes = 50
        let chains = (0..<400).map { configuration.chain(of: $0, among: configuration.nodes) }
        #expect(chains.allSatisfy { $0.count == 3 && Set($0).count == 3 })
        for node in configuration.nodes {
            let share = chains.count { $0.first == node }
            #expect((20...100).contains(share), "\(share) of 400 heads")
        }
        let others = Array(configuration.nodes.dropLast())
        let moved = (0..<400).count { configuration.chain(of: $0, among: others) != chains[$0] }
        #expect(moved == chains.count { $0.contains(ControlBench.address(7)) })
    }

    @Test("what is logged is a line an event")
    func logLines() throws {
        var bench = ControlBench(nodes: 3)
        bench.connect([0, 1])
        bench.perform { $0.receive(.subscribe, fromClient: 3, into: &$2) }
        bench.connect([2])
        bench.perform { $0.place([0, 255], width: .bytes1024, into: &$2) }
        bench.disconnect(1)
        bench.pass(milliseconds: 80, beating: [0, 2])
        bench.mute = []
        bench.connect([1])
        bench.pass(milliseconds: 80, beating: [0, 1, 2])
        var events = 0
        for case .log(let event) in bench.done {
            events += 1
            #expect(!event.description.contains("\n"))
        }
        #expect(events > 3)
    }
}
