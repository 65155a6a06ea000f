import ChainRuntime
import Chains
import Replay
import Wire

/// A chain of a published variant, started for a run. Its packets have no versions, no comparisons and 16 bytes for a
/// value. The first eight of these are an ID that no other value of the run has, which stands for the revision.
final class PaperKeyClient<Control: PaperControl>: SingleKeyClient where Control.Switch: NodeMachine {
    private let options: ChainBackendOptions
    private let paper: Control.Options
    private var chain: LocalPaperChain<Control>?
    private var connection: PaperConnection?
    private var keyCount = 0
    private(set) var retransmissions = 0
    /// Revisions of the writes under way, by the lower half of their tags: an answer does not say what was written.
    private var revisions: [Int64] = []

    init(_ options: ChainBackendOptions, _ paper: Control.Options) {
        self.options = options
        self.paper = paper
    }

    var valueBytes: Int64 { 16 }
    var comparesAndSets: Bool { false }
    var revisionsAreOrdered: Bool { false }

    /// NetCRAQ's 22 bytes of header (its figure 3) hold the value; NetChain's are a list of the nodes, and 38 or 52.
    var headerBytes: Int64 {
        switch Control.speech(paper) {
        case .netCRAQ: 6
        case .netChain(let width): (width == .bits16 ? 22 : 36) + 4 * Int64((chain?.addresses.count ?? 0) + 1)
        }
    }

    // MARK: Opening

    func open(_ names: [[UInt8]]) throws(BackendError) {
        guard case .local(let nodes) = options.place else {
            throw options.failure("a chain of a published variant is started for the run: it has no control interface")
        }
        guard names.count <= PaperLimits.keys else {
            throw options.failure(
                "the run names \(names.count) keys, and a switch has registers for \(PaperLimits.keys)",
                remedy: "Replay a part of the trace at a time.")
        }
        keyCount = names.count
        var configuration = PaperChainConfiguration<Control>(paper, nodes: nodes)
        configuration.keys = max(1, names.count)
        let settings = configuration
        try options.system { () throws(SystemError) in
            let chain = try LocalPaperChain(settings)
            self.chain = chain
            connection = try PaperConnection(to: chain.addresses, chain.speech)
        }
    }

    func countKeys() -> Int { keyCount }

    func close() {
        connection = nil
        chain?.stop()
        chain = nil
    }

    // MARK: Requests

    func canBegin(isRead: Bool) -> Bool { connection.map { $0.pendingCount < $0.requestsMax } ?? false }

    func begin(_ step: SingleKeyStep, value: [UInt8]) -> Bool {
        guard let connection else { return false }
        // Keys are numbered from 1.
        let key = UInt32(step.key + 1)
        if case .read = step.kind { return connection.beginRead(key, mark: step.tag) != nil }
        // All zeros stand for a key that was deleted.
        var number: UInt128 = 0
        for byte in value { number = number << 8 | UInt128(byte) }
        if !value.isEmpty { number <<= 8 * UInt128(16 - min(16, value.count)) }
        let place = Int(step.tag & 0xffff_ffff)
        while revisions.count <= place { revisions.append(0) }
        revisions[place] = Self.revision(of: step.id)
        return connection.beginWrite(key, number, mark: step.tag) != nil
    }

    func flush() { connection?.flush() }

    func turn(until deadline: UInt64) throws(BackendError) {
        guard let connection else { return }
        try options.system { () throws(SystemError) in try connection.turn(until: deadline) }
    }

    func nextEnd() -> SingleKeyEnd? {
        guard let result = connection?.nextResult() else { return nil }
        retransmissions += max(0, result.transmissions - 1)
        var end = SingleKeyEnd(tag: result.mark, outcome: .late, revision: 0, size: 0, time: result.endedAt)
        guard result.isAnswered else { return end }
        end.outcome = .ok
        if result.isWrite {
            end.revision = revisions[Int(result.mark & 0xffff_ffff)]
        } else if result.value == 0 {
            end.outcome = .absent
        } else {
            end.revision = Self.revision(of: UInt64(truncatingIfNeeded: result.value >> 64))
            // The length is not in the packet; values are text behind the ID, which has no zeros.
            end.size = Int64(max(8, 16 - result.value.trailingZeroBitCount / 8))
        }
        return end
    }

    /// The ID as a revision: above 0, and another one for each that a replay or a preload gives. Those of a preload
    /// have the highest bit, those of calls neither of the highest two.
    private static func revision(of id: UInt64) -> Int64 {
        max(1, Int64(id >> 63 == 0 ? id & (1 << 63 - 1) : id & (1 << 62 - 1) | 1 << 62))
    }
}
