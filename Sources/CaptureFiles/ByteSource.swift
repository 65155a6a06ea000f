import Wire

/// The bytes of one capture file, decompressed if it is compressed, read from front to back into the caller's storage.
struct ByteSource: ~Copyable {
    /// What a read brought.
    enum Outcome: Equatable {
        case bytes(Int)
        /// A pipe brought nothing for 100 ms.
        case nothingYet
        case end
        /// The compressed stream stops before its end.
        case cut
        case damaged(CaptureDamage.Reason)
        case windowTooLarge
    }

    private let file: FileBytes
    /// A pipe must not be waited on when something can be handed on already.
    private let isStream: Bool
    private let limits: CaptureLimits
    private var decompressor: (any Decompressor)?
    private var isRecognised = false
    /// Whether the last frame or member is complete.
    private var isBetweenFrames = true
    /// Bytes as they were read, of which `waiting` are still to be handed on or decompressed.
    private var input: [UInt8] = []
    private var waiting = 0..<0
    private var hasEnded = false
    private var lastOutcome: Outcome?

    /// Bytes read from the file, compressed if it is, since `takeBytesRead`.
    private var bytesRead = 0

    private static let inputBytes = 128 << 10

    /// Opens `path`, or standard input for `nil`.
    init(path: String?, isStream: Bool, limits: CaptureLimits) throws(SystemFailure) {
        file = try FileBytes(path: path, isStream: isStream)
        self.isStream = isStream
        self.limits = limits
    }

    /// How many bytes were read from the file, compressed if it is, since this was last asked.
    mutating func takeBytesRead() -> Int {
        defer { bytesRead = 0 }
        return bytesRead
    }

    /// Fills `storage` from `offset` on; from a pipe, with what is there. Precondition: there is room.
    mutating func read(into storage: inout [UInt8], from offset: Int) throws(SystemFailure) -> Outcome {
        if let lastOutcome { return lastOutcome }
        if !isRecognised, try !recognise() { return .nothingYet }
        let outcome =
            try decompressor == nil ? copy(into: &storage, from: offset) : unpack(into: &storage, from: offset)
        switch outcome {
        case .bytes, .nothingYet: break
        case .end, .cut, .damaged, .windowTooLarge: lastOutcome = outcome
        }
        return outcome
    }

    /// Reads the first four bytes, or all if there are fewer, and tells by them how the file is compressed. False if
    /// they have not come yet.
    private mutating func recognise() throws(SystemFailure) -> Bool {
        if input.isEmpty { input = [UInt8](repeating: 0, count: Self.inputBytes) }
        while waiting.count < 4, !hasEnded {
            if try !readMore() { return false }
        }
        isRecognised = true
        guard waiting.count >= 4 else { return true }
        let magic = input.span.bigEndian32(at: 0)
        if ZstdStream.recognises(magic) {
            decompressor = ZstdStream(windowLog: limits.zstdWindowLog)
        } else if GzipStream.recognises(magic) {
            decompressor = GzipStream()
        }
        return true
    }

    /// Reads behind what is waiting; false if a pipe has nothing now. Precondition: the input has room there.
    private mutating func readMore() throws(SystemFailure) -> Bool {
        guard let count = try file.read(into: &input, from: waiting.upperBound) else { return false }
        bytesRead += count
        waiting = waiting.lowerBound..<waiting.upperBound + count
        if count == 0 { hasEnded = true }
        return true
    }

    private mutating func copy(into storage: inout [UInt8], from offset: Int) throws(SystemFailure) -> Outcome {
        if !waiting.isEmpty {
            let count = min(waiting.count, storage.count - offset)
            let first = waiting.lowerBound..<waiting.lowerBound + count
            storage.overwrite(from: offset, with: input.span.extracting(first))
            waiting = first.upperBound..<waiting.upperBound
            if waiting.isEmpty { input = [] }
            return .bytes(count)
        }
        if hasEnded { return .end }
        guard let count = try file.read(into: &storage, from: offset) else { return .nothingYet }
        bytesRead += count
        hasEnded = count == 0
        return hasEnded ? .end : .bytes(count)
    }

    private mutating func unpack(into storage: inout [UInt8], from offset: Int) throws(SystemFailure) -> Outcome {
        guard let decompressor else { return .end }
        var filled = offset
        while filled < storage.count {
            if waiting.isEmpty, !hasEnded {
                if isStream, filled > offset { break }
                waiting = 0..<0
                if try !readMore() { return .nothingYet }
            }
            // With no input left, the decompressor may still hold output that had no room.
            if waiting.isEmpty, isBetweenFrames { break }
            let step = decompressor.decompress(input, waiting, into: &storage, from: filled)
            waiting = waiting.lowerBound + step.used..<waiting.upperBound
            filled += step.made
            switch step.outcome {
            case .more: isBetweenFrames = false
            case .ended: isBetweenFrames = true
            case .windowTooLarge: lastOutcome = .windowTooLarge
            case .trailingBytes: lastOutcome = .damaged(.trailingBytes)
            case .damaged(let words): lastOutcome = .damaged(.compression(words))
            }
            if lastOutcome != nil { break }
            if step.used == 0, step.made == 0 {
                if !waiting.isEmpty { lastOutcome = .damaged(.compression("nothing comes of it")) }
                if hasEnded || !waiting.isEmpty { break }
            }
        }
        if filled > offset { return .bytes(filled - offset) }
        return lastOutcome ?? (isBetweenFrames ? .end : .cut)
    }
}
