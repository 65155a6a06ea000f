import TLSRecords
import Wire

/// What one direction's peer sealed as application data, and how far a listener is in it.
///
/// Each content begins with its number, so that its place is known wherever it appears.
struct TLSTruth {
    static let numberBytes = 2

    /// Application data from its first byte on.
    private var contents: [UInt8] = []
    /// By number, where the content begins; `nil` for early data that is none.
    private var starts: [Int?] = []
    /// Numbers and bytes of early data of which it is not known yet whether the server takes it.
    private var early: [(number: Int, content: [UInt8])] = []

    /// What comes next lies here; without a bound while nothing tells where the listener is.
    private var least = 0
    private var most: Int?
    private var hasBegun = false

    /// The content that a record of application data gets: its number, and `content`. None has nothing.
    mutating func number(_ content: [UInt8], isEarly: Bool) -> [UInt8] {
        if content.isEmpty { return [] }
        let number = starts.count
        let numbered = [UInt8(number >> 8 & 0xff), UInt8(number & 0xff)] + content
        starts.append(nil)
        if isEarly {
            early.append((number, numbered))
        } else {
            append(number, numbered)
        }
        return numbered
    }

    /// The server takes the early data so far, or does not.
    mutating func endEarlyData(isTaken: Bool) {
        if isTaken {
            for (number, content) in early { append(number, content) }
        }
        early = []
    }

    private mutating func append(_ number: Int, _ content: [UInt8]) {
        starts[number] = contents.count
        contents += content
    }

    /// What a listener heard is true. `isGenuine`: nothing but what a peer says was to be heard; `tellsLengths`: nor
    /// anything that lets a listener err in the length of what is missing.
    mutating func hear(
        _ event: TLSEvent, _ bytes: Span<UInt8>, isGenuine: Bool, tellsLengths: Bool
    ) throws(BrokenLaw) {
        switch event.kind {
        case .started:
            hasBegun = true
            most = 0
        case .gap:
            hasBegun = true
            if event.isExact, isGenuine, tellsLengths { least += event.count }
            if let most { self.most = most + event.count }
        case .data:
            hasBegun = true
            var start: Int?
            if bytes.count > Self.numberBytes {
                let number = Int(bytes.bigEndian16(at: 0))
                start = number < starts.count ? starts[number] : nil
            }
            guard let start, start + bytes.count <= contents.count,
                bytes.isEqual(to: contents.span.extracting(start..<start + bytes.count))
            else {
                throw BrokenLaw(law: "nothing comes out that was not sealed", found: "\(bytes.copied())")
            }
            try BrokenLaw.unless(
                start >= least && (!isGenuine || start <= most ?? .max), "data lies where gaps say",
                "\(start), not \(least)...\(most.map(String.init) ?? "")")
            least = start + bytes.count
            most = least
        }
    }

    /// All of it was heard or is named as missing, from where the listener joined.
    func finish(isGenuine: Bool) throws(BrokenLaw) {
        guard isGenuine, hasBegun, let most else { return }
        try BrokenLaw.unless(
            most >= contents.count, "what is missing at the end is named", "\(most) of \(contents.count)")
    }
}
