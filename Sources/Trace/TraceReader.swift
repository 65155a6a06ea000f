package import Etcd
package import Wire

/// Reads a trace, block by block. Damaged blocks are passed over and counted, never guessed at.
package final class TraceReader {
    private let file: TraceFile
    private var decoder = BlockDecoder()
    /// Bytes read from the file; those before `position` are done with.
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private var expectedNumber: UInt32 = 0
    private var hasTrailer = false

    /// Who recorded what; later blocks of this kind add to it while the trace is read.
    package private(set) var meta = TraceMeta()
    /// What was read until now.
    package private(set) var summary = TraceSummary()
    /// What could not be read until now; whole after `next` returned false.
    package private(set) var damage = TraceDamage()

    /// Which file it reads, if that is a regular one.
    package var identity: FileIdentity? { file.regularIdentity() }

    /// Opens a trace and reads its description. `-` is standard input.
    package init(path: String) throws(TraceError) {
        if path == "-" {
            file = TraceFile.standardInput()
        } else {
            let isDirectory: Bool
            do {
                file = try TraceFile.open(forReading: path)
                isDirectory = try file.kind() == .directory
            } catch { throw TraceError(.input, what: "cannot read the trace", location: path, why: error.text) }
            if isDirectory {
                throw TraceError(.input, what: "cannot read the trace", location: path, why: "it is a directory")
            }
        }
        try readFileHeader()
        try readMeta()
    }

    /// Reads a trace that lies in memory; `name` stands for its path in messages.
    package init(bytes: [UInt8], name: String) throws(TraceError) {
        file = TraceFile.memory(name: name)
        buffer = bytes
        isAtEnd = true
        try readFileHeader()
        try readMeta()
    }

    /// Replaces the batch's content by the next operations block's. False at the end of the trace.
    package func next(into batch: inout OperationBatch) throws(TraceError) -> Bool {
        while let header = try nextHeader() {
            let type = BlockType(rawValue: header.type)
            guard type == .operations, header.version <= BlockHeader.version else {
                try pass(header, type: type)
                continue
            }
            guard let payload = try payload(of: header), decoder.decode(payload: payload, header: header, into: &batch)
            else {
                loseBlock(header)
                continue
            }
            accept(header)
            return true
        }
        return false
    }
}

// The file's start.
extension TraceReader {
    private func readFileHeader() throws(TraceError) {
        _ = try ensure(FileHeader.byteCount + BlockHeader.byteCount)
        let held = buffer
        let bytes = held.span
        if bytes.isEmpty { throw unusable("the file is empty") }
        let head = bytes.extracting(0..<min(bytes.count, FileHeader.byteCount))
        if head.starts(with: FileHeader.magic) {
            if head.count < FileHeader.byteCount { throw unusable("it ends within its first 16 bytes") }
            if FileHeader.isWhole(head) {
                let version = head.littleEndian16(at: 8)
                if version > FileHeader.version {
                    throw unusable(
                        "it has format version \(version), and this program reads up to \(FileHeader.version)",
                        remedy: "Read it with the program that wrote it, or a later one.")
                }
                position = FileHeader.byteCount
                summary.bytes = Int64(position)
            }
            return
        }
        // A damaged header does not matter where a whole block follows.
        if bytes.count >= FileHeader.byteCount,
            BlockHeader(bytes.extracting(FileHeader.byteCount..<bytes.count)) != nil
        {
            return
        }
        try refuse(head)
    }

    private func refuse(_ head: Span<UInt8>) throws(TraceError) {
        let named = file.isStandardInput ? "-" : file.name
        let decode = "kvreel capture --read \(named) -o TRACE.kvr"
        let start = head.count >= 4 ? head.bigEndian32(at: 0) : 0
        switch start {
        case 0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1, 0x0a0d_0d0a:
            throw unusable(
                "it is a packet capture, not a trace",
                remedy: "Make a trace of it first: \(decode)")
        case 0x28b5_2ffd:
            throw unusable(
                "it is a file compressed by zstd, not a trace", remedy: "If that is a capture, decode it: \(decode)")
        case _ where start >> 16 == 0x1f8b:
            throw unusable(
                "it is a file compressed by gzip, not a trace", remedy: "If that is a capture, decode it: \(decode)")
        default:
            throw unusable(
                "it is not a trace: it does not begin with KVREEL",
                remedy: "Traces are made by kvreel capture -o TRACE.kvr.")
        }
    }

    private func unusable(_ why: String, remedy: String? = nil) -> TraceError {
        TraceError(.input, what: "cannot read the trace", location: file.name, why: why, remedy: remedy)
    }

    /// Reads the meta blocks at the start. A trace without a whole block says nothing, not even that nothing happened.
    private func readMeta() throws(TraceError) {
        while let header = try nextHeader() {
            guard header.type == BlockType.meta.rawValue else { return }
            try pass(header, type: .meta)
        }
        if summary.blocks == 0 {
            throw unusable(
                "it ends before its first whole block",
                remedy: "Nothing was recorded, or its start is all that is left: take the trace anew.")
        }
    }
}

// Blocks.
extension TraceReader {
    /// The header at `position`, after passing over what is none. Nil at the end of the trace.
    private func nextHeader() throws(TraceError) -> BlockHeader? {
        while true {
            _ = try ensure(BlockHeader.byteCount)
            let held = buffer
            let bytes = held.span.extracting(position..<held.count)
            if bytes.isEmpty {
                damage.isCutShort = !hasTrailer
                return nil
            }
            if let header = BlockHeader(bytes) {
                hasTrailer = false
                return header
            }
            if Trailer.indexOffset(in: bytes) != nil {
                hasTrailer = true
                position += Trailer.byteCount
                summary.bytes += Int64(Trailer.byteCount)
                continue
            }
            try passOverDamage()
        }
    }

    /// Passes over at least one byte, up to the next magic or the end.
    private func passOverDamage() throws(TraceError) {
        let start = position
        position += 1
        while position < buffer.count {
            let byte = buffer[position]
            if byte == BlockHeader.magic[0] || byte == Trailer.magic[0] {
                let held = buffer
                let bytes = held.span.extracting(position..<held.count)
                if bytes.count < BlockHeader.magic.count || bytes.starts(with: BlockHeader.magic)
                    || bytes.starts(with: Trailer.magic)
                {
                    break
                }
            }
            position += 1
        }
        damage.unreadableBytes += Int64(position - start)
        damage.bytesAtEnd += Int64(position - start)
    }

    /// The payload of the block at `position`, or nil if it is not whole.
    private func payload(of header: BlockHeader) throws(TraceError) -> [UInt8]? {
        let length = BlockHeader.byteCount + Int(header.storedLength)
        guard try ensure(length) else { return nil }
        let held = buffer
        let stored = held.span.extracting(position + BlockHeader.byteCount..<position + length)
        guard CRC32C.checksum(of: stored) == header.payloadChecksum else { return nil }
        return decoder.decompress(stored, header: header)
    }

    /// Takes note of a block that holds no operations that can be read.
    private func pass(_ header: BlockHeader, type: BlockType?) throws(TraceError) {
        guard let payload = try payload(of: header) else { return loseBlock(header) }
        switch type {
        case .meta:
            guard header.version <= BlockHeader.version, let later = TraceMeta(payload: payload) else { break }
            meta.merge(later)
        case .index:
            guard header.version <= BlockHeader.version else { break }
            // An entry stands for a block before it. A count beyond what there can be would cost time and memory.
            let most = (summary.bytes + damage.unreadableBytes) / Int64(BlockHeader.byteCount)
            guard Int64(header.records) <= most, BlockIndex(payload: payload, count: Int(header.records)) != nil else {
                return loseBlock(header)
            }
        case .operations: damage.newerBlocks += 1
        case nil: break
        }
        accept(header)
    }

    private func accept(_ header: BlockHeader) {
        count(header)
        summary.add(header)
        position += BlockHeader.byteCount + Int(header.storedLength)
        (damage.blocksAtEnd, damage.bytesAtEnd) = (0, 0)
    }

    /// Passes over a damaged block: as a whole where it ends inside the file, else to what looks like the next one.
    private func loseBlock(_ header: BlockHeader) {
        count(header)
        damage.lostBlocks += 1
        let length = BlockHeader.byteCount + Int(header.storedLength)
        let isWhole = length <= buffer.count - position
        let passed = isWhole ? length : BlockHeader.magic.count
        position += passed
        damage.unreadableBytes += Int64(passed)
        if isWhole {
            // Its bytes are there, and wrong.
            (damage.blocksAtEnd, damage.bytesAtEnd) = (0, 0)
        } else {
            damage.blocksAtEnd += 1
            damage.bytesAtEnd += Int64(passed)
        }
    }

    /// Blocks are numbered: a number left out is a block lost.
    private func count(_ header: BlockHeader) {
        if header.number > expectedNumber { damage.lostBlocks += Int(header.number - expectedNumber) }
        expectedNumber = header.number &+ 1
    }

    /// Reads until `count` bytes lie from `position` on; false if the file ends before.
    private func ensure(_ count: Int) throws(TraceError) -> Bool {
        if buffer.count - position >= count { return true }
        if position > 0 {
            buffer.keep(only: position..<buffer.count)
            position = 0
        }
        while buffer.count < count, !isAtEnd {
            do {
                let wanted = max(Self.readBytes, count - buffer.count)
                if try file.read(wanted, into: &buffer) == 0 { isAtEnd = true }
            } catch {
                throw TraceError(.input, what: "cannot read the trace", location: file.name, why: error.text)
            }
        }
        return buffer.count >= count
    }

    private static let readBytes = 1 << 18
}
