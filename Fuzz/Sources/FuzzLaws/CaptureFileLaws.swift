import CaptureFiles
import Wire

/// Capture files: the input is a file, pcap or pcapng.
///
/// Compressed files are not tried here: their bytes come from zlib and zstd, and what these deliver is such an input.
enum CaptureFileLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        let file = bytes.copied()
        let whole = try read(file) { $0 }
        var dice = InputDice(bytes)
        let pieces = try read(file) { dice.piece(of: $0) }
        try BrokenLaw.unlessEqual(
            pieces.packets.count, whole.packets.count, "any split gives the same number of packets")
        for (index, (left, right)) in zip(pieces.packets, whole.packets).enumerated() {
            let isSame =
                left.bytes == right.bytes && left.time == right.time && left.originalLength == right.originalLength
                && left.linkType == right.linkType && left.interface == right.interface
            try BrokenLaw.unless(isSame, "any split gives the same packets", "number \(index): \(left), not \(right)")
        }
        try BrokenLaw.unlessEqual(pieces.secrets, whole.secrets, "any split gives the same secrets")
        try BrokenLaw.unlessEqual(pieces.health, whole.health, "any split gives the same health")
        try BrokenLaw.unlessEqual(pieces.failure, whole.failure, "any split fails alike")
        try checkPackets(whole, byteCount: file.count)
    }

    private struct Outcome {
        var packets: [CapturedPacket] = []
        var secrets: [DecryptionSecrets] = []
        var health = CaptureHealth()
        var failure: CaptureParser.Failure?
    }

    /// Reads the file in pieces: of the bytes that are left, `piece` says how many come next. The storage ends where a
    /// piece does, so that a look beyond it traps.
    private static func read(_ file: [UInt8], piece: (Int) -> Int) throws(BrokenLaw) -> Outcome {
        var parser = CaptureParser()
        var batch = PacketBatch()
        var done = 0
        while batch.storage.count < file.count {
            let left = file.count - batch.storage.count
            let next = batch.storage.count + piece(left)
            batch.storage += file[batch.storage.count..<next]
            if next == file.count { break }
            let stopped = parser.receive(done..<next, of: &batch)
            try BrokenLaw.unless(
                stopped >= done && stopped <= next, "a parser stops within its bytes",
                "at \(stopped) of \(done)..<\(next)")
            try BrokenLaw.unless(
                stopped == next || parser.wantedBytes > 0, "a parser that waits says for what", "\(parser.wantedBytes)")
            done = stopped
        }
        parser.finish(done..<file.count, of: &batch)
        return Outcome(
            packets: batch.packets, secrets: batch.secrets, health: parser.health, failure: parser.failure)
    }

    private static func checkPackets(_ outcome: Outcome, byteCount: Int) throws(BrokenLaw) {
        var end = 0
        var sum = 0
        for packet in outcome.packets {
            try BrokenLaw.unless(
                packet.bytes.lowerBound >= end && packet.bytes.upperBound <= byteCount,
                "packets lie in the file, one behind the other", "\(packet.bytes) behind \(end) of \(byteCount)")
            try BrokenLaw.unless(
                packet.originalLength >= packet.bytes.count, "no packet is longer than it was on the wire",
                "\(packet)")
            end = packet.bytes.upperBound
            sum += packet.bytes.count
        }
        let health = outcome.health
        try BrokenLaw.unlessEqual(health.packets, outcome.packets.count, "every packet is counted")
        try BrokenLaw.unlessEqual(health.packetBytes, sum, "every packet's bytes are counted")
        try BrokenLaw.unless(
            health.damagedBytes >= 0 && health.damagedBytes + sum <= byteCount,
            "no byte is both damaged and a packet's", "\(health.damagedBytes) + \(sum) of \(byteCount)")
        let secretBytes = outcome.secrets.reduce(0) { $0 + $1.bytes.count }
        try BrokenLaw.unless(sum + secretBytes <= byteCount, "nothing is made up", "\(sum) + \(secretBytes)")
        try BrokenLaw.unless(
            (health.damages == 0) == (health.firstDamage == nil), "damages are counted and the first is named",
            "\(health)")
    }
}
