import Chains

/// One frame of each kind and each shape of its fields: lists empty and not, what may be absent there and not.
enum ControlFrameSamples {
    private static let ticket = JoinTicket(group: 1, epoch: 2, number: 3)
    private static let pair = GroupEpoch(group: 4, epoch: 5)
    private static let key = ChainKey(high: 6, low: 7)
    private static let entry = KeyEntry(key: key, group: 8, epoch: 9, width: .bytes1024)
    private static let version = ChainVersion(epoch: 10, number: .max)
    private static let nodes = [
        NodeAddress(address: 0x7f00_000a, requestPort: 8888, fabricPort: 8890),
        NodeAddress(address: 0x7f00_000b, requestPort: 1, fabricPort: 2),
    ]
    private static let network = IPv4Network(address: 0x7f00_0000, prefixLength: 8)

    private static var entries: CopyEntries {
        let owned = VersionCopy(
            version: version, slot: 11, request: 12, client: Endpoint(address: 13, port: 14), value: [1, 2, 3])
        var deleted = owned
        deleted.value = nil
        var empty = owned
        empty.value = []
        return CopyEntries(
            ticket: ticket,
            keys: [
                KeyCopy(key: key, width: .bytes16, versions: [owned, deleted, empty]),
                KeyCopy(key: key, width: .bytes128, versions: [deleted]),
            ],
            slots: [SlotCopy(slot: 15, request: 16, key: key, version: version, status: .closed)],
            removed: [key, ChainKey(low: 0)], next: 17, stamp: 18)
    }

    private static var counts: KeyCounts {
        var hits = KeyHits()
        hits.readsClean = 19
        hits.readsDirty = 20
        hits.writes = 21
        hits.rejections = .max
        return KeyCounts(group: 22, rows: [KeyCounts.Row(key: key, counts: hits)], next: nil)
    }

    private static var directory: DirectoryUpdate {
        DirectoryUpdate(
            serial: 23, isWhole: true,
            groups: [
                GroupEntry(group: 0, epoch: 1, state: .active, chain: [1, 2, 3], comparesAndSets: true),
                GroupEntry(group: 1, epoch: 0, state: .sealed, chain: [], comparesAndSets: false),
            ],
            keys: [
                PlacedKey(name: [0, 255], key: key, group: 1, width: .bytes16),
                PlacedKey(name: [], key: key, group: 1, width: .bytes128),
            ],
            removed: [[], [1, 2, 3]])
    }

    private static let messages: [ControlMessage] = [
        .heartbeat(Heartbeat(node: 1, clock: .max, active: [])),
        .heartbeat(Heartbeat(node: 1, clock: 2, active: [pair, pair])),
        .lease(Lease(clock: 3, duration: 4, groups: [])), .lease(Lease(clock: 3, duration: 4, groups: [pair])),
        .seal(pair), .sealed(SealReport(group: 1, epoch: 2, keyCount: 262_144, highest: version)),
        .join(ticket), .joined(ticket), .copyRead(CopyRequest(ticket: ticket, since: 1, cursor: 1 << 40)),
        .entries(entries),
        .entries(CopyEntries(ticket: ticket, keys: [], slots: [], removed: [], next: nil, stamp: 0)),
        .copyWrite(entries), .copied(ticket), .activate(Activation(group: 1, epoch: 2, chain: [3])),
        .activate(
            Activation(group: 1, epoch: 2, chain: Array(1...9), closedSlots: [1, 2], comparesAndSets: false)),
        .activated(pair), .insert(entry), .inserted(entry), .remove(entry), .removed(entry),
        .counters(CountersRequest(group: 1, cursor: 2)), .counts(counts),
        .counts(KeyCounts(group: 1, rows: [], next: 5)),
        .refused(Refusal(.insert, .invalid, group: 1, epoch: 2, join: 3)),
        .refused(Refusal(.seal, .epoch, group: 1, epoch: 2)), .subscribe, .directory(directory),
        .directory(DirectoryUpdate(serial: 0, isWhole: false, groups: [], keys: [], removed: [])), .slotRequest,
        .slot(.max),
    ]

    private static var assignments: [NodeAssignment] {
        let plain = NodeAssignment(format: .ncx, index: 1, nodes: nodes, clients: network, heartbeat: 10_000_000)
        var bounded = plain
        bounded.format = .cqx
        bounded.versions = 16
        bounded.rate = 20_000
        bounded.core = 1
        return [plain, bounded]
    }

    static let all: [ControlFrame] =
        messages.map { .message($0) } + assignments.map { .assignment($0) } + [
            .node(ticket: 24), .ready, .client,
            .welcome(ChainDescription(format: .cqx, nodes: nodes, clients: network)),
            .place(name: [1, 2], .bytes16), .place(name: [], .bytes1024), .placed(true), .placed(false),
            .evict(name: [3]), .statisticsRequest, .statistics([]),
            .statistics([
                NodeCounts(node: 1, isRunning: true, counts: [1, .max]),
                NodeCounts(node: 2, isRunning: false, counts: []),
            ]), .stop,
        ]
}
