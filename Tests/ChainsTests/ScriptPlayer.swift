import Chains
import Consistency
import Testing

/// Plays a script on a chain and compares what it shows.
struct ScriptPlayer<Variant: ChainVariant> {
    /// A step that could not be done, or showed something else.
    struct Trouble: Error, CustomStringConvertible {
        var place: String
        var what: String
        var description: String { "\(place): \(what)" }
    }

    private typealias Bench = ScriptBench<Variant.Machine>

    private struct Operation {
        var isWrite: Bool
        var key: UInt32
        var value: UInt128
        var client: Int
        var call: Int
        var end: Int?
        /// Another request for the same write: how often it was sent again counts as operations of their own, or not.
        var retryOf: Int?
    }

    let run: ScriptRun
    /// Whether every step must find its datagram and show its result. Otherwise what is not in flight is passed by, and
    /// only the outcome counts: a script for one protocol can be played on another.
    let isExact: Bool
    private var variant: Variant
    private var nodes: [String] = []
    private var keys: [String] = []
    private var values = ["absent"]
    private var operations: [Operation] = []
    private var held: Set<String> = []
    private var step = 0
    private var line = ChainScript.Line(number: 0, words: [], expected: nil, condition: [])
    private(set) var verdicts = 0

    init(_ run: ScriptRun, isExact: Bool = true) throws {
        self.run = run
        self.isExact = isExact
        let words = run.script.lines.first { $0.words.first == "chain" }?.words.dropFirst() ?? []
        let chain = words.prefix { $0 != "spare" }
        let nodes = words.filter { $0 != "spare" }
        self.nodes = nodes
        var settings = run.settings
        settings["history"] = nil
        let networks = nodes.indices.map { Bench.network(ofNode: $0, of: nodes.count) }
        guard !chain.isEmpty, let variant = Variant(settings: settings, networks: networks, chainCount: chain.count)
        else { throw Trouble(place: run.testDescription, what: "no chain, or a setting that is not known") }
        self.variant = variant
    }

    /// Plays all steps; answers whether what clients saw is linearizable for each key.
    mutating func play() throws -> Bool {
        for each in run.script.lines where run.has(each.condition) {
            line = each
            step += 1
            try play(each.words)
        }
        return isLinearizable
    }

    /// Whether the histories of all keys are linearizable; that the checker of histories says the same is asserted.
    var isLinearizable: Bool {
        keys.indices.allSatisfy { key in
            var history = RegisterHistory()
            for operation in operations(ofKey: key) {
                history.operations.append(
                    .init(
                        isWrite: operation.isWrite, value: operation.value, call: operation.call, end: operation.end))
            }
            let isLinearizable = history.isLinearizable
            #expect(history.verdict == (isLinearizable ? .linearizable : .violation), "\(run): \(history)")
            return isLinearizable
        }
    }

    private func operations(ofKey key: Int) -> [Operation] {
        operations.filter { $0.key == UInt32(key + 1) && ($0.retryOf == nil || run.settings["history"] == "new") }
    }

    /// What clients asked and got, with the script's names.
    var history: History {
        var history = History()
        for name in keys { _ = history.keys.number(of: name) }
        for name in values.dropFirst() { _ = history.values.number(of: name) }
        for key in keys.indices {
            for operation in operations(ofKey: key) where operation.isWrite || operation.end != nil {
                history.operations.append(
                    HistoryOperation(
                        client: Int64(operation.client), key: operation.key,
                        kind: operation.isWrite ? operation.value == 0 ? .delete : .write : .read,
                        outcome: operation.end == nil ? .unknown : .ok, value: Int64(operation.value),
                        // A call comes after the ends of its step.
                        call: Int64(2 * operation.call + 1),
                        return: operation.end.map { Int64(2 * $0) } ?? HistoryOperation.noReturn))
            }
        }
        return history
    }

    private func trouble(_ what: String) -> Trouble {
        Trouble(place: "\(run.script.name).txt:\(line.number) `\(line.words.joined(separator: " "))`", what: what)
    }

    // MARK: Words

    private func node(_ name: String) throws -> Int {
        guard let node = nodes.firstIndex(of: name) else { throw trouble("no node \(name)") }
        return node
    }

    private func client(_ name: String) throws -> Int {
        guard name.hasPrefix("c"), let number = Int(name.dropFirst()) else { throw trouble("no client \(name)") }
        return number
    }

    private func party(_ name: String) throws -> Bench.Party {
        nodes.contains(name) ? .node(try node(name)) : .client(try client(name))
    }

    private func name(_ party: Bench.Party) -> String {
        switch party {
        case .node(let node): nodes[node]
        case .client(let client): "c\(client)"
        }
    }

    /// The number of a key; it gets its place in the switches when it is first named.
    private mutating func key(_ name: String) -> UInt32 {
        if let place = keys.firstIndex(of: name) { return UInt32(place + 1) }
        keys.append(name)
        variant.insert(key: UInt32(keys.count))
        return UInt32(keys.count)
    }

    private mutating func value(_ name: String) -> UInt128 {
        if let place = values.firstIndex(of: name) { return UInt128(place) }
        values.append(name)
        return UInt128(values.count - 1)
    }

    private func name(_ value: UInt128?) -> String {
        guard let value else { return "none" }
        return value < UInt128(values.count) ? values[Int(value)] : "\(value)"
    }

    private func compare(_ found: String) throws {
        guard isExact, let text = line.expected, let expected = run.choose(text) else { return }
        if found != expected { throw trouble("expected \(expected), found \(found)") }
    }

    // MARK: Steps

    private mutating func play(_ words: [String]) throws {
        func word(_ place: Int) throws -> String {
            guard place < words.count else { throw trouble("a word is missing") }
            return words[place]
        }
        switch try word(0) {
        case "chain": break
        case "key": _ = key(try word(1))
        case "write":
            try write(
                try client(try word(1)), key(try word(2)), value(try word(3)), to: try addressed(words, from: 4),
                isTwice: words.last == "twice")
        case "writes":
            let times = Int(try word(7)) ?? 0
            try writes(
                try client(try word(1)), key(try word(2)), value(try word(3)), to: try addressed(words, from: 4),
                times: times)
        case "retry": try retry(try client(try word(1)), key(try word(2)), to: try addressed(words, from: 3))
        case "read":
            let found = try read(try client(try word(1)), key(try word(2)), to: try addressed(words, from: 3))
            try compare(name(found))
        case "deliver", "drop", "copy": try move(try word(0), try word(1), words.count > 2 ? try word(2) : nil)
        case "settle": try settle()
        case "hold": held.insert(try word(1))
        case "release": held.remove(try word(1))
        case "fail": variant.bench.deadNodes.insert(try node(try word(1)))
        case "failover": variant.failOver(of: try node(try word(1)))
        case "stop": variant.beginRecovery(of: try node(try word(1)))
        case "replace": variant.endRecovery(of: try node(try word(1)), with: try node(try word(3)))
        case "stored": try compare(name(variant.stored(key: key(try word(2)), at: try node(try word(1)))))
        case "dirty": try compare(variant.isDirty(key: key(try word(2)), at: try node(try word(1))) ? "yes" : "no")
        case "done":
            let wanted = value(try word(1))
            try compare(operations.contains { $0.isWrite && $0.value == wanted && $0.end != nil } ? "yes" : "no")
        case "counter": try compare("\(try counter(try word(2), at: try node(try word(1))))")
        case "outcome":
            verdicts += 1
            try compare(isLinearizable ? "linearizable" : "violation")
        default: throw trouble("no such step")
        }
    }

    /// `at H`: the node that a request is addressed to; `at H via M`: and the one that it is sent to.
    private func addressed(_ words: [String], from place: Int) throws -> (at: Int, via: Int) {
        guard place + 1 < words.count, words[place] == "at" else { throw trouble("`at NODE` is missing") }
        let at = try node(words[place + 1])
        guard place + 3 < words.count, words[place + 2] == "via" else { return (at, at) }
        return (at, try node(words[place + 3]))
    }

    private mutating func begin(_ isWrite: Bool, _ key: UInt32, _ value: UInt128, _ client: Int) -> Int {
        operations.append(Operation(isWrite: isWrite, key: key, value: value, client: client, call: step))
        return operations.count - 1
    }

    private mutating func write(
        _ client: Int, _ key: UInt32, _ value: UInt128, to node: (at: Int, via: Int), isTwice: Bool
    ) throws {
        let cause = begin(true, key, value, client)
        let payload = variant.write(key: key, value: value, at: node.at)
        for _ in 0..<(isTwice ? 2 : 1) { variant.bench.send(payload, from: client, to: node.via, cause: cause) }
        try deliver(variant.bench.flights.count - 1)
    }

    /// `times` writes of one value one after the other, each acknowledged: one operation of the history.
    private mutating func writes(
        _ client: Int, _ key: UInt32, _ value: UInt128, to node: (at: Int, via: Int), times: Int
    ) throws {
        let cause = begin(true, key, value, client)
        for count in 1...max(1, times) {
            operations[cause].end = nil
            variant.bench.send(
                variant.write(key: key, value: value, at: node.at), from: client, to: node.via, cause: cause)
            while !variant.bench.flights.isEmpty { try deliver(0) }
            guard operations[cause].end != nil else { throw trouble("write \(count) got no reply") }
        }
    }

    private mutating func retry(_ client: Int, _ key: UInt32, to node: (at: Int, via: Int)) throws {
        guard let first = operations.firstIndex(where: { $0.isWrite && $0.client == client && $0.key == key }) else {
            throw trouble("nothing to repeat")
        }
        let cause = begin(true, key, operations[first].value, client)
        operations[cause].retryOf = first
        let payload = variant.write(key: key, value: operations[first].value, at: node.at)
        variant.bench.send(payload, from: client, to: node.via, cause: cause)
        try deliver(variant.bench.flights.count - 1)
    }

    /// Delivers the read and all that it brings about; what else is in flight stays there.
    private mutating func read(_ client: Int, _ key: UInt32, to node: (at: Int, via: Int)) throws -> UInt128? {
        let cause = begin(false, key, 0, client)
        variant.bench.send(variant.read(key: key, at: node.at), from: client, to: node.via, cause: cause)
        step += 1
        while let index = variant.bench.flights.firstIndex(where: { $0.cause == cause }) { try deliver(index) }
        return operations[cause].end == nil ? nil : operations[cause].value
    }

    private mutating func deliver(_ index: Int) throws {
        let flight = variant.bench.deliver(index)
        guard case .client(let client) = flight.target else { return }
        step += 1
        guard client == operations[flight.cause].client else { throw trouble("a reply went to client \(client)") }
        guard operations[flight.cause].end == nil, let value = variant.value(of: flight.payload) else { return }
        operations[flight.cause].end = step
        if !operations[flight.cause].isWrite { operations[flight.cause].value = value }
        // Who repeats a request takes whichever reply comes first for the whole.
        if let first = operations[flight.cause].retryOf, operations[first].end == nil, run.settings["history"] != "new"
        {
            operations[first].end = step
        }
    }

    private func link(_ flight: Bench.Flight) -> String { "\(name(flight.source))->\(name(flight.target))" }

    private mutating func move(_ verb: String, _ link: String, _ valueName: String?) throws {
        let wanted = valueName.map { value($0) }
        let index = variant.bench.flights.firstIndex { flight in
            self.link(flight) == link && (wanted == nil || variant.value(of: flight.payload) == wanted)
        }
        guard let index else {
            if !isExact { return }
            let flights = variant.bench.flights.map { "\(self.link($0)) \(name(variant.value(of: $0.payload)))" }
            throw trouble("nothing such in flight, but: \(flights.joined(separator: ", "))")
        }
        switch verb {
        case "deliver": try deliver(index)
        case "drop": variant.bench.flights.remove(at: index)
        default: variant.bench.flights.append(variant.bench.flights[index])
        }
    }

    private mutating func settle() throws {
        for _ in 0..<10_000 {
            guard let index = variant.bench.flights.firstIndex(where: { !held.contains(link($0)) }) else { return }
            try deliver(index)
        }
        throw trouble("datagrams go round without end")
    }

    private func counter(_ name: String, at node: Int) throws -> Int {
        let counters = variant.bench.switches[node].counters
        switch name {
        case "versionOverflows": return counters.versionOverflows
        case "writesStale": return counters.writesStale
        case "readsDirty": return counters.readsDirty
        case "readsClean": return counters.readsClean
        case "unknownKeys": return counters.unknownKeys
        case "unroutable": return counters.unroutable
        case "stopped": return counters.stopped
        case "rejections": return counters.rejections
        case "otherEpochs": return counters.otherEpochs
        case "writes": return counters.writes
        case "dirtyReadsAtTail": return variant.dirtyReadsAtTail(of: node)
        default: throw trouble("no counter \(name)")
        }
    }
}
