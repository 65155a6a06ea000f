import CaptureFiles
import Etcd
import Foundation
import Recording
import Trace
import Wire

/// A connection that somebody made up to cost a recorder time and memory, recorded as it is made: nothing of it stays.
final class CraftedRecording {
    private var recorder: TraceRecorder
    private var batch = PacketBatch()
    private var sequences: [UInt32] = [1000, 5000]
    private var time: Int64 = 1_700_000_000_000_000_000
    /// Nanoseconds between two packets.
    var step: Int64 = 1_000
    private let residentBefore: Int
    private var residentPeak = 0
    private(set) var operations = 0

    /// `isFromStart`: with its SYN; the client's preface and SETTINGS are then sent by the caller.
    init(isFromStart: Bool = true) throws {
        let pipeline = RecordingPipeline(ports: [UInt16(RawPacket.serverPort)])
        let writer = try TraceWriter(path: "/dev/null", force: false, meta: TraceMeta())
        recorder = TraceRecorder(pipeline: pipeline, writer: writer)
        residentBefore = MemoryTests.residentBytes()
        guard isFromStart else { return }
        append(.request, [], flags: RawPacket.syn)
        append(.response, [], flags: RawPacket.syn | RawPacket.ack)
        sequences = [1001, 5001]
    }

    /// Bytes of memory taken since the beginning, at most.
    var peakBytes: Int { residentPeak - residentBefore }
    var health: RecordingHealth { recorder.pipeline.health }

    func send(_ direction: Direction, _ bytes: [UInt8], segment: Int = 60_000) throws {
        for start in stride(from: 0, to: bytes.count, by: segment) {
            append(direction, Array(bytes[start..<min(start + segment, bytes.count)]), flags: RawPacket.ack)
            if batch.storage.count > 1 << 20 { try record() }
        }
    }

    func finish() throws {
        try record()
        try recorder.endInput { _ in }
        try recorder.flush { _ in }
        operations = recorder.operationCount
        residentPeak = max(residentPeak, MemoryTests.residentBytes())
    }

    private func record() throws {
        var index = 0
        while index < batch.packets.count {
            index = try recorder.receive(batch, from: index, to: batch.packets.count) { _ in }
        }
        batch.storage.removeAll(keepingCapacity: true)
        batch.packets.removeAll(keepingCapacity: true)
        residentPeak = max(residentPeak, MemoryTests.residentBytes())
    }

    private func append(_ direction: Direction, _ payload: [UInt8], flags: UInt8) {
        func bytes(_ word: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(word >> $0 & 0xff) } }
        let (own, other) = direction == .request ? (0, 1) : (1, 0)
        let ports: [UInt32] = [40_000, UInt32(RawPacket.serverPort)]
        let length = 40 + payload.count
        // Longer ones than the field can say are written with 0 where the network card divides segments.
        let stated = length > 0xffff ? 0 : length
        time += step
        let start = batch.storage.count
        batch.storage += [0x45, 0, UInt8(stated >> 8), UInt8(stated & 0xff), 0, 0, 0x40, 0, 64, 6, 0, 0]
        batch.storage += bytes(0x0a00_0001 + UInt32(own)) + bytes(0x0a00_0001 + UInt32(other))
        batch.storage += bytes(ports[own]).suffix(2) + bytes(ports[other]).suffix(2)
        batch.storage += bytes(sequences[own]) + bytes(sequences[other]) + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
        batch.storage += payload
        sequences[own] &+= UInt32(payload.count)
        batch.packets.append(
            CapturedPacket(
                time: CaptureTime(nanoseconds: time), bytes: start..<batch.storage.count, originalLength: length,
                linkType: .rawIP, interface: 0))
    }
}

/// Frames and messages as bytes (RFC 9113 §4.1, RFC 7541 §6.2.2, gRPC's five-byte prefix, protobuf).
enum Crafted {
    static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: Int, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count
        let head = [UInt8(length >> 16), UInt8(length >> 8 & 0xff), UInt8(length & 0xff), kind, flags]
        return head + [24, 16, 8, 0].map { UInt8(stream >> $0 & 0xff) } + payload
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, 0, [])

    private static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + name.utf8 + [UInt8(value.utf8.count)] + value.utf8
    }

    static func request(_ path: String, stream: Int) -> [UInt8] {
        frame(1, 4, stream, [0x83, 0x86] + literal(":path", path))
    }
    static func answer(stream: Int) -> [UInt8] { frame(1, 4, stream, [0x88]) }
    static func trailers(stream: Int) -> [UInt8] { frame(1, 5, stream, literal("grpc-status", "0")) }

    /// A message in as many DATA frames as it takes.
    static func message(_ content: [UInt8], stream: Int, ends: Bool) -> [UInt8] {
        let bytes = [0] + [24, 16, 8, 0].map { UInt8(content.count >> $0 & 0xff) } + content
        var frames: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 16_384) {
            let end = min(start + 16_384, bytes.count)
            frames += frame(0, ends && end == bytes.count ? 1 : 0, stream, Array(bytes[start..<end]))
        }
        return frames
    }

    static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
        [UInt8(number << 3 | 2)] + varint(content.count) + content
    }

    static func field(_ number: Int, _ value: Int) -> [UInt8] { [UInt8(number << 3)] + varint(value) }

    private static func varint(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var value = value
        while value > 0x7f {
            bytes.append(UInt8(value & 0x7f | 0x80))
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    /// A key that is not met again, of that many bytes.
    static func key(_ number: Int, bytes count: Int) -> [UInt8] {
        let digits = Array(String(number).utf8)
        return digits + Array(repeating: UInt8(ascii: "k"), count: max(0, count - digits.count))
    }
}
