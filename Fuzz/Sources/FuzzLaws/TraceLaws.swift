import Analysis
import Etcd
import Trace
import Wire

/// The reader of traces: the input is a `.kvr` file.
///
/// Checksums keep nearly every change of a file from what is behind them, so each input is read twice: as it is, and
/// with the checksums of its blocks set right.
enum TraceLaws {
    static func check(_ bytes: Span<UInt8>) throws(BrokenLaw) {
        let file = bytes.copied()
        var dice = InputDice(bytes)
        let isShown = dice.oneIn(16)
        var codec = BatchLaws.Codec()
        try read(file, &codec, isShown: isShown)
        let mended = mend(file)
        if mended != file { try read(mended, &codec, isShown: isShown) }
    }

    private static func read(_ file: [UInt8], _ codec: inout BatchLaws.Codec, isShown: Bool) throws(BrokenLaw) {
        let reader: TraceReader
        do throws(TraceError) {
            reader = try TraceReader(bytes: file, name: "the input")
        } catch {
            try BrokenLaw.unless(error.kind == .input, "what is no trace is refused as input", "\(error)")
            return
        }
        var batch = OperationBatch()
        var analysis = WorkloadAnalysis()
        var operations = 0
        var blocks = 0
        var requests = 0
        while try next(reader, &batch) {
            blocks += 1
            operations += batch.operations.count
            requests += BatchLaws.requests(batch)
            try BatchLaws.checkReferences(batch)
            try BatchLaws.checkRoundTrip(batch, &codec)
            analysis.add(batch)
        }
        try BrokenLaw.unlessEqual(
            reader.summary.operationBlocks, blocks + reader.damage.newerBlocks,
            "every block of operations is handed on or of a later version")
        if reader.damage.newerBlocks == 0 {
            try BrokenLaw.unlessEqual(reader.summary.operations, Int64(operations), "every operation is handed on")
        }
        try BrokenLaw.unlessEqual(
            reader.summary.bytes + reader.damage.unreadableBytes, Int64(file.count),
            "every byte is of a whole block or unreadable")
        try BatchLaws.checkAnalysis(analysis, requests: requests, isShown: isShown)
    }

    private static func next(_ reader: TraceReader, _ batch: inout OperationBatch) throws(BrokenLaw) -> Bool {
        do throws(TraceError) {
            return try reader.next(into: &batch)
        } catch {
            throw BrokenLaw(law: "damage is counted, not thrown", found: "\(error)")
        }
    }

    // MARK: Checksums

    private static let blockMagic: [UInt8] = [0xab, 0x4b, 0x56, 0x52, 0x42, 0x4c, 0x4b, 0xbb]
    private static let blockHeaderBytes = 56

    /// Sets the checksums right of the file's header and of every block that its magic shows; a length that goes
    /// beyond the end of the file becomes what is left. What lies where says `docs/trace-format.md`.
    private static func mend(_ file: [UInt8]) -> [UInt8] {
        var bytes = file
        if bytes.count >= 16 { setChecksum(of: 0..<12, at: 12, in: &bytes) }
        var offset = 0
        while offset + blockHeaderBytes <= bytes.count {
            guard bytes.span.extracting(offset..<offset + blockMagic.count).isEqual(to: blockMagic.span) else {
                offset += 1
                continue
            }
            let payload = offset + blockHeaderBytes
            var length = Int(bytes.span.littleEndian32(at: offset + 16))
            if length > bytes.count - payload {
                length = bytes.count - payload
                set(UInt32(length), at: offset + 16, in: &bytes)
            }
            // Without compression both lengths are one.
            if bytes[offset + 10] & 1 == 0 { set(UInt32(length), at: offset + 20, in: &bytes) }
            setChecksum(of: payload..<payload + length, at: offset + 48, in: &bytes)
            setChecksum(of: offset..<offset + 52, at: offset + 52, in: &bytes)
            offset = payload + length
        }
        return bytes
    }

    private static func setChecksum(of range: Range<Int>, at offset: Int, in bytes: inout [UInt8]) {
        set(CRC32C.checksum(of: bytes.span.extracting(range)), at: offset, in: &bytes)
    }

    private static func set(_ word: UInt32, at offset: Int, in bytes: inout [UInt8]) {
        for place in 0..<4 { bytes[offset + place] = UInt8(word >> (8 * UInt32(place)) & 0xff) }
    }
}
