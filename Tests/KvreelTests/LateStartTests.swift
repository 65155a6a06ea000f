import Foundation
import TestSupport
import Testing

@Suite("Live recordings that start early or late", .serialized, .enabled(if: Repository.canRecord))
struct LateStartTests {
    /// How the client writes its header fields.
    enum HeaderFields: String, CaseIterable {
        /// Literals that refer to nothing before them, behind the two static entries that every client uses.
        case literal
        /// As Go's: literals that are inserted into the table once, and from then on named by index only.
        case indexed
    }

    /// A client of one connection: 20 puts, each followed by a range of its key; as many as it can while a file is not
    /// there, and 100 more; a mark; 20 more. It says where it stands.
    private static let client = #"""
        import os, socket, struct, sys, time
        port, folder, is_indexed = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "indexed"
        table = []
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = b""
        def frame(kind, flags, stream, payload):
            return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload
        def field(name, value):
            "RFC 7541 6.1: indexed; 6.2.1: literal with incremental indexing; 6.2.2: without indexing."
            if value == b"POST": return b"\x83"
            if value == b"http": return b"\x86"
            if (name, value) in table: return bytes([0x80 | 61 + len(table) - table.index((name, value))])
            if is_indexed: table.append((name, value))
            first = b"\x40" if is_indexed else b"\0"
            return first + bytes([len(name)]) + name + bytes([len(value)]) + value
        def number(value):
            out = b""
            while value > 127:
                out += bytes([value & 127 | 128])
                value >>= 7
            return out + bytes([value])
        def text(tag, value):
            return bytes([tag << 3 | 2]) + number(len(value)) + value
        def fields(method):
            pairs = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/etcdserverpb.KV/" + method),
                     (b":authority", b"etcd"), (b"content-type", b"application/grpc"),
                     (b"user-agent", b"late/1"), (b"te", b"trailers")]
            return b"".join(field(*pair) for pair in pairs)
        def read(until):
            "Reads frames until `until` streams have ended; gives back the window of all data."
            global held
            ended = set()
            while not until <= ended:
                while len(held) < 9 or len(held) < 9 + int.from_bytes(held[:3], "big"):
                    part = sock.recv(65536)
                    if not part: sys.exit("the server closed the connection")
                    held += part
                length = int.from_bytes(held[:3], "big")
                kind, flags, stream = held[3], held[4], int.from_bytes(held[5:9], "big")
                payload, held = held[9:9 + length], held[9 + length:]
                if kind == 0 and length: sock.sendall(frame(8, 0, 0, struct.pack(">I", length)))
                if kind == 4 and not flags & 1: sock.sendall(frame(4, 1, 0, b""))
                if kind == 6 and not flags & 1: sock.sendall(frame(6, 1, 0, payload))
                if kind in (0, 1) and flags & 1: ended.add(stream)
                # A server that answered before it saw the end of the request says so with NO_ERROR (RFC 9113 8.1).
                if kind == 3 and payload == b"\0\0\0\0":
                    ended.add(stream)
                    continue
                if kind in (3, 7): sys.exit("the server refused: %r" % payload)
        stream = 1
        def calls(count):
            global stream
            first = stream
            out = b""
            for _ in range(count):
                put = stream % 4 == 1
                key = b"/late/%d" % (stream if put else stream - 2)
                message = text(1, key) + (text(2, b"v" * (stream % 3000)) if put else b"")
                out += frame(1, 4, stream, fields(b"Put" if put else b"Range"))
                out += frame(0, 1, stream, struct.pack(">BI", 0, len(message)) + message)
                stream += 2
            sock.sendall(out)
            read(set(range(first, stream, 2)))
        def say(words):
            print(words, file=sys.stderr, flush=True)
        def wait(name):
            while not os.path.exists(folder + "/" + name): time.sleep(0.005)
        wait("first")
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
        for _ in range(4): calls(5)
        say("open")
        wait("second")
        say("busy")
        while not os.path.exists(folder + "/third"): calls(5)
        for _ in range(20): calls(5)
        say("mark %d" % stream)
        for _ in range(4): calls(5)
        say("done")
        """#

    /// The calls of a trace: stream, method, key and revision of each.
    private func calls(_ trace: String) throws -> [Int: String] {
        let run = try ProgramRun.kvreel(["cat", "--json", trace])
        #expect(run.status == 0, "\(run.errors)")
        var calls: [Int: String] = [:]
        for line in run.output.split(separator: "\n") {
            let object = try Truth.object(Data(line.utf8))
            guard object["type"] as? String == "call", let stream = object["stream"] as? Int else { continue }
            // Not the status: its header field refers to what the server said when the connection was new.
            let names = ["method", "key", "revision"]
            calls[stream] = names.map { "\(object[$0] ?? "-")" }.joined(separator: " ")
        }
        return calls
    }

    @Test(
        "decode every call from then on: before the connection, while it is idle, while it is busy",
        arguments: HeaderFields.allCases)
    func lateStart(_ fields: HeaderFields) throws {
        let server = try EtcdServer()
        let folder = try TemporaryFolder()
        let client = try RunningProgram(
            "python3", ["-c", Self.client, "\(server.clientPort)", folder.url.path, fields.rawValue],
            output: folder.path("client.out"), errors: folder.path("client.err"))
        var recordings: [RunningProgram] = []
        let steps = [("early", "first", "open"), ("idle", "second", "busy"), ("busy", "third", "done")]
        for (name, signal, awaits) in steps {
            let recording = try RunningProgram(
                Repository.tool.path,
                ["capture", "-i", "lo", "-p", "\(server.clientPort)", "-o", folder.path(name + ".kvr")],
                output: folder.path(name + ".out"), errors: folder.path(name + ".err"))
            try recording.waitForErrors(containing: "listening on lo")
            recordings.append(recording)
            _ = try folder.write(signal, [])
            try client.waitForErrors(containing: awaits)
        }
        let said = try client.wait()
        for recording in recordings {
            recording.process.interrupt()
            let run = try recording.wait()
            #expect(run.status == 130, "\(run.errors)")
            #expect(!run.errors.contains("dropped"), "\(run.errors)")
        }
        let mark = try #require(said.errors.firstMatch(of: /mark (\d+)/).flatMap { Int($0.1) })
        let early = try calls(folder.path("early.kvr"))
        #expect(early.count >= 60)
        #expect(Set(early.keys) == Set(stride(from: 1, to: 2 * early.count, by: 2)))
        // The first call of the idle connection is of stream 41. A recording that begins in the middle of segments may
        // lack what was on its way; from the mark on it has everything.
        for (name, start) in [("idle.kvr", 41), ("busy.kvr", mark)] {
            let late = try calls(folder.path(name))
            let (found, expected) = (late.filter { $0.key >= start }, early.filter { $0.key >= start })
            #expect(expected.count >= 20)
            let missing = expected.filter { found[$0.key] != $0.value }.keys.sorted()
                .map { "\($0): \(found[$0] ?? "none"), not \(expected[$0] ?? "")" }
            #expect(missing == [], "\(name) from stream \(start) on")
            #expect(found.count == expected.count, "\(name)")
        }
    }
}
