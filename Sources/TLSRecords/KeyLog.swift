import Wire

/// Which secret of a connection a line of a key log holds.
enum SecretKind: Int, CaseIterable {
    /// TLS 1.2, label `CLIENT_RANDOM`.
    case master
    case clientEarly
    case clientHandshake
    case serverHandshake
    case clientTraffic
    case serverTraffic

    init?(label: Span<UInt8>) {
        for (name, kind) in Self.labels where label.isEqual(to: name.span) {
            self = kind
            return
        }
        return nil
    }

    /// RFC 9850 §2.1, §2.2. Other labels (`EXPORTER_SECRET`, `RSA`, ...) say nothing about records.
    private static let labels: [([UInt8], SecretKind)] = [
        (Array("CLIENT_RANDOM".utf8), .master),
        (Array("CLIENT_EARLY_TRAFFIC_SECRET".utf8), .clientEarly),
        (Array("CLIENT_HANDSHAKE_TRAFFIC_SECRET".utf8), .clientHandshake),
        (Array("SERVER_HANDSHAKE_TRAFFIC_SECRET".utf8), .serverHandshake),
        (Array("CLIENT_TRAFFIC_SECRET_0".utf8), .clientTraffic),
        (Array("SERVER_TRAFFIC_SECRET_0".utf8), .serverTraffic),
    ]

    /// Lengths that the secret may have: 48 for a master secret (RFC 5246 §8.1), else that of a hash.
    func accepts(_ count: Int) -> Bool { self == .master ? count == 48 : count == 32 || count == 48 }
}

/// The secrets of TLS connections, by client random.
///
/// Filled with the text of key logs (`KeyLogText`); memory is bounded, the connections logged first are forgotten
/// first. Nothing of it can be printed: there is no description, and no error quotes a line.
package struct KeyLog: Sendable {
    struct ClientRandom: Hashable, Sendable {
        private let first: UInt64
        private let second: UInt64
        private let third: UInt64
        private let fourth: UInt64

        /// Precondition: 32 bytes.
        init(_ bytes: Span<UInt8>) {
            precondition(bytes.count == 32, "a random has 32 bytes")
            first = bytes.bigEndian64(at: 0)
            second = bytes.bigEndian64(at: 8)
            third = bytes.bigEndian64(at: 16)
            fourth = bytes.bigEndian64(at: 24)
        }

        var bytes: [UInt8] {
            [first, second, third, fourth].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
            }
        }
    }

    private static let secretBytes = 48
    private static let slotBytes = secretBytes * SecretKind.allCases.count

    private let limit: Int
    private var slots: [ClientRandom: Int] = [:]
    private var randoms: [ClientRandom] = []
    /// `slotBytes` each, a kind after the other.
    private var secrets: [UInt8] = []
    /// How long each of them is; 0 when it is not known.
    private var lengths: [UInt8] = []
    /// When the slot was filled, counted in slots.
    private var serials: [UInt64] = []
    /// Whether a connection of the recording has these secrets: they are nobody else's.
    private var isClaimed: [Bool] = []
    /// The slot to be filled next, once there are as many as the limit.
    private var oldest = 0

    /// Connections that had secrets once; grows with each new one.
    private(set) var lastSerial: UInt64 = 0
    /// Grows with every secret that is added.
    package private(set) var version: UInt64 = 0
    /// Lines with a label that is known and a random or a secret that is not well-formed.
    package private(set) var malformedLines = 0

    package init(limits: TLSLimits = TLSLimits()) { limit = max(1, limits.keyLogConnections) }

    /// Connections of which secrets are known.
    package var connectionCount: Int { slots.count }

    // MARK: Looking up

    func slot(of connection: ClientRandom) -> Int? { slots[connection] }

    /// Slots of connections not yet met in the recording that were logged after number `serial`, the newest first.
    func unclaimed(after serial: UInt64) -> [Int] {
        randoms.indices.filter { serials[$0] > serial && !isClaimed[$0] }.sorted { serials[$0] > serials[$1] }
    }

    func clientRandom(of slot: Int) -> ClientRandom { randoms[slot] }

    func secret(_ kind: SecretKind, of slot: Int) -> [UInt8]? {
        let count = Int(lengths[slot * SecretKind.allCases.count + kind.rawValue])
        guard count > 0 else { return nil }
        let first = slot * Self.slotBytes + kind.rawValue * Self.secretBytes
        return Array(secrets[first..<first + count])
    }

    mutating func claim(_ slot: Int) { isClaimed[slot] = true }

    // MARK: Taking lines

    /// Takes a line without its end: `LABEL CLIENT_RANDOM SECRET`, both in hexadecimal. Comments, empty lines and
    /// unknown labels say nothing.
    mutating func receive(line: Span<UInt8>) {
        var end = line.count
        while end > 0, line[end - 1] == 0x0d || line[end - 1] == 0x20 { end -= 1 }
        var begin = 0
        while begin < end, line[begin] == 0x20 { begin += 1 }
        guard begin < end, line[begin] != UInt8(ascii: "#") else { return }
        var space = begin
        while space < end, line[space] != 0x20 { space += 1 }
        guard let kind = SecretKind(label: line.extracting(begin..<space)) else { return }
        let rest = line.extracting(min(space + 1, end)..<end)
        guard rest.count > 65, rest[64] == 0x20, let name = Self.bytes(hexadecimal: rest.extracting(0..<64)),
            let secret = Self.bytes(hexadecimal: rest.extracting(65..<rest.count)), kind.accepts(secret.count)
        else {
            malformedLines += 1
            return
        }
        add(secret, kind, of: ClientRandom(name.span))
    }

    mutating func countMalformedLine() { malformedLines += 1 }

    private mutating func add(_ secret: [UInt8], _ kind: SecretKind, of connection: ClientRandom) {
        let slot = slots[connection] ?? makeSlot(for: connection)
        let first = slot * Self.slotBytes + kind.rawValue * Self.secretBytes
        for index in secret.indices { secrets[first + index] = secret[index] }
        lengths[slot * SecretKind.allCases.count + kind.rawValue] = UInt8(secret.count)
        version += 1
    }

    private mutating func makeSlot(for connection: ClientRandom) -> Int {
        lastSerial += 1
        let kinds = SecretKind.allCases.count
        var slot = randoms.count
        if slot < limit {
            randoms.append(connection)
            secrets.append(contentsOf: repeatElement(0, count: Self.slotBytes))
            lengths.append(contentsOf: repeatElement(0, count: kinds))
            serials.append(lastSerial)
            isClaimed.append(false)
        } else {
            slot = oldest
            oldest = (oldest + 1) % limit
            slots[randoms[slot]] = nil
            randoms[slot] = connection
            for index in slot * kinds..<(slot + 1) * kinds { lengths[index] = 0 }
            serials[slot] = lastSerial
            isClaimed[slot] = false
        }
        slots[connection] = slot
        return slot
    }

    private static func bytes(hexadecimal text: Span<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2), text.count <= 2 * secretBytes else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        for index in stride(from: 0, to: text.count, by: 2) {
            guard let high = nibble(text[index]), let low = nibble(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}

/// The text of one key log on its way into a `KeyLog`, in pieces of any size: a file that grows, or a block of a
/// capture.
package struct KeyLogText: Sendable {
    private let limit: Int
    /// The line that has not ended yet.
    private var partial: [UInt8] = []
    /// It is longer than the limit; the rest of it is passed over.
    private var isTooLong = false

    package init(limits: TLSLimits = TLSLimits()) { limit = limits.keyLogLineBytes }

    /// Reads the next bytes of the text; whole lines go into `log`.
    package mutating func receive(_ bytes: Span<UInt8>, into log: inout KeyLog) {
        var begin = 0
        for index in bytes.indices where bytes[index] == 0x0a {
            keep(bytes.extracting(begin..<index))
            end(into: &log)
            begin = index + 1
        }
        keep(bytes.extracting(begin..<bytes.count))
    }

    /// The text is over: what it holds without a line's end is its last line.
    package mutating func finish(into log: inout KeyLog) {
        if isTooLong || !partial.isEmpty { end(into: &log) }
    }

    private mutating func keep(_ bytes: Span<UInt8>) {
        let room = min(limit - partial.count, bytes.count)
        partial.append(copying: bytes.extracting(0..<room))
        if room < bytes.count { isTooLong = true }
    }

    private mutating func end(into log: inout KeyLog) {
        let isComment = partial.first == UInt8(ascii: "#")
        if isTooLong {
            if !isComment { log.countMalformedLine() }
        } else {
            log.receive(line: partial.span)
        }
        partial.removeAll(keepingCapacity: true)
        isTooLong = false
    }
}
