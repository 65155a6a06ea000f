import Chains
import Wire

/// The frames of a control stream: any bytes, in any pieces.
enum ControlLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        let whole = read(bytes, in: { $0 })
        var dice = InputDice(bytes)
        let pieces = read(bytes, in: { dice.piece(of: $0) })
        try BrokenLaw.unlessEqual(pieces.frames, whole.frames, "any pieces give the same frames")
        try BrokenLaw.unlessEqual(pieces.failure, whole.failure, "any pieces give the same end")
        var written: [UInt8] = []
        for frame in whole.frames { frame.append(to: &written) }
        let isSame = written.count <= bytes.count && written.span.isEqual(to: bytes.extracting(first: written.count))
        try BrokenLaw.unless(isSame, "a frame is written as it was read", "\(whole.frames)")
        let rest = bytes.count - written.count
        if whole.failure == nil {
            try BrokenLaw.unlessEqual(whole.held, rest, "what is not read is held")
            try BrokenLaw.unless(
                rest < 4 + ControlFrameLimits.frameBytes, "less than a frame is held", "\(rest) bytes are")
        } else {
            try BrokenLaw.unlessEqual(whole.held, 0, "nothing is held of a stream without meaning")
        }
        for frame in whole.frames {
            guard case .message(.directory(let update)) = frame else { continue }
            let parts = update.parts
            try BrokenLaw.unlessEqual(parts.flatMap(\.keys), update.keys, "no key is lost between parts")
            try BrokenLaw.unlessEqual(parts.flatMap(\.removed), update.removed, "no name is lost between parts")
        }
    }

    private struct Outcome {
        var frames: [ControlFrame] = []
        var failure: ControlFormatError?
        var held = 0
    }

    /// Reads the bytes in pieces whose lengths `next` chooses from what is left.
    private static func read(_ bytes: Span<UInt8>, in next: (Int) -> Int) -> Outcome {
        var outcome = Outcome()
        var reader = ControlFrameReader()
        var offset = 0
        while offset < bytes.count, outcome.failure == nil {
            let count = next(bytes.count - offset)
            reader.receive(bytes.extracting(offset..<offset + count))
            offset += count
            do {
                while let frame = try reader.next() { outcome.frames.append(frame) }
            } catch {
                outcome.failure = error
            }
        }
        outcome.held = reader.heldCount
        return outcome
    }
}
