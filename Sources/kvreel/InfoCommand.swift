import Analysis
import ArgumentParser
import Etcd
import Trace
import Wire

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show what a trace holds: when, how much, of whom, and what is missing.",
        discussion: """
              kvreel info etcd.kvr
              kvreel info --json etcd.kvr

            Operations are calls, messages of streams (a watch's create and its answer are one) and event batches. \
            Of a replay it also says what was replayed on what, and the verdict. \
            Pages: docs/trace-format.md, docs/oddities.md

            Exit status: 0 done; 1 blocks of the trace are lost; 2 wrong usage; 3 no usable trace; 4 output failed.
            """)

    @Flag(help: "One JSON document.")
    var json = false

    @Argument(help: "The trace; - is standard input.")
    var trace: String

    mutating func run() throws {
        let input = try TraceInput(trace)
        var contents = TraceContents()
        var batch = OperationBatch()
        while try input.next(into: &batch) { contents.add(batch) }
        var output = StandardOutput()
        if json {
            var writer = JSONWriter(style: .pretty)
            contents.write(to: &writer, input: input)
            try output.write(writer.bytes)
        } else {
            try output.write(contents.text(input))
        }
        try output.flush()
        if output.isClosed { return }
        if input.warnOfDamage() { throw ExitStatus.untrusted }
    }
}

/// What `info` counts in a trace.
struct TraceContents {
    private var coverage = Coverage()
    private var health = RecordingHealth()
    private var calls = 0
    private var streamsOpenedBefore = 0
    private var messages = 0
    private var events = 0
    private var observedPresent = 0
    private var observedAbsent = 0
    private var observedRanges = 0
    private var replay = ReplayFacts()
    private var connections: [UInt32: Connection] = [:]

    private struct Connection {
        var client: String
        var userAgent: String
        var record: ConnectionRecord
    }

    mutating func add(_ batch: borrowing OperationBatch) {
        coverage.add(batch)
        replay.add(batch)
        health = batch.health
        for operation in batch.operations {
            switch operation.role {
            case .call where operation.completeness.contains(.openedBefore): streamsOpenedBefore += 1
            case .call: calls += 1
            case .message: messages += 1
            case .event: events += 1
            }
        }
        for record in batch.observed {
            switch record.kind {
            case .present: observedPresent += 1
            case .absent: observedAbsent += 1
            case .counted: observedRanges += 1
            }
        }
        for record in batch.connections {
            connections[record.number] = Connection(
                client: String(decoding: batch.texts.string(record.client), as: UTF8.self),
                userAgent: String(decoding: batch.texts.string(record.userAgent), as: UTF8.self), record: record)
        }
    }

    /// User agents, the most frequent first.
    private var userAgents: [(String, Int)] {
        Dictionary(grouping: connections.values.filter { !$0.userAgent.isEmpty }, by: \.userAgent)
            .map { ($0.key, $0.value.count) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
    }

    func write(to json: inout JSONWriter, input: TraceInput) {
        let summary = input.summary
        json.beginObject()
        json.member("schema", "kvreel.info/1")
        json.name("recording")
        json.beginObject()
        for entry in input.meta.entries where !ReplayFacts.isReplayEntry(entry.name) {
            json.member(entry.name, entry.value)
        }
        json.endObject()
        replay.write(to: &json, meta: input.meta)
        if let times = summary.times {
            json.member("first_ns", times.lowerBound.nanoseconds)
            json.member("last_ns", times.upperBound.nanoseconds)
        }
        json.member("operations", summary.operations)
        json.member("calls", calls)
        json.member("messages", messages)
        json.member("events", events)
        json.member("streams_opened_before", streamsOpenedBefore)
        json.member("bytes", summary.bytes)
        json.member("blocks", summary.blocks)
        json.name("observed")
        json.beginObject()
        json.member("present", observedPresent)
        json.member("absent", observedAbsent)
        json.member("counted_ranges", observedRanges)
        json.endObject()
        json.name("user_agents")
        json.beginObject()
        for (name, count) in userAgents { json.member(name, count) }
        json.endObject()
        json.name("health")
        json.beginObject()
        for field in RecordingHealth.Field.allCases { json.member("\(field)", health[field]) }
        json.endObject()
        json.name("damage")
        json.beginObject()
        json.member("lost_blocks", input.damage.lostBlocks)
        json.member("unreadable_bytes", input.damage.unreadableBytes)
        json.member("newer_blocks", input.damage.newerBlocks)
        json.member("cut_short", input.damage.isCutShort)
        json.endObject()
        json.endObject()
    }

    func text(_ input: TraceInput) -> String {
        let summary = input.summary
        let entries = input.meta.entries.filter { !ReplayFacts.isReplayEntry($0.name) }
        var rows: [(String, String)] = entries.map { entry in
            (entry.name, Terminal.printable(entry.value.split(separator: "\n").joined(separator: ", ")))
        }
        rows += replay.rows(input.meta)
        if let times = summary.times {
            rows.append(("begins", OperationText.time(times.lowerBound.nanoseconds)))
            let seconds = Double(times.upperBound.nanoseconds(since: times.lowerBound)) / 1e9
            rows.append(("length", Terminal.decimal(seconds, places: 3) + " s"))
        }
        rows.append(("operations", Terminal.grouped(summary.operations)))
        rows.append(
            (
                "",
                "\(Terminal.counted(calls, "call")), \(Terminal.counted(messages, "message")) of streams, "
                    + (events == 1 ? "1 event batch" : "\(Terminal.grouped(events)) event batches")
                    + (streamsOpenedBefore > 0
                        ? ", \(Terminal.counted(streamsOpenedBefore, "stream")) opened before the recording" : "")
            ))
        var size = Terminal.counted(summary.bytes, input.damage.isNone ? "byte" : "readable byte")
        size += " in \(Terminal.counted(summary.blocks, "block"))"
        if summary.operations > 0 {
            size += ", \(Terminal.decimal(Double(summary.bytes) / Double(summary.operations), places: 1)) an operation"
        }
        rows.append(("size", size))
        rows.append(("connections", "\(Terminal.grouped(connections.count)) with payload"))
        for (name, count) in userAgents.prefix(5) {
            rows.append(("", "\(Terminal.grouped(count)) of \(Terminal.printable(name))"))
        }
        rows.append(
            (
                "state before",
                "\(Terminal.counted(observedPresent, "key")) shown to exist, "
                    + "\(Terminal.grouped(observedAbsent)) shown not to, "
                    + "\(Terminal.counted(observedRanges, "range")) counted but not named"
            ))
        let width = rows.map(\.0.count).max() ?? 0
        var text = ""
        for (name, value) in rows {
            text += name + String(repeating: " ", count: width + 2 - name.count) + value + "\n"
        }
        text += "\n"
        if let words = oneSided { text += "  \(words)\n" }
        let trouble = Self.trouble.filter { health[$0.0] > 0 }
        for (field, one, rest) in trouble { text += "  \(Terminal.counted(health[field], one)) \(rest)\n" }
        if !trouble.isEmpty { text += "  (docs/oddities.md explains each)\n\n" }
        return text + coverage.line + "\n"
    }

    /// In words, which half of what was said the recording lacks, if it lacks one.
    private var oneSided: String? {
        let sawRequests = connections.values.contains { $0.record.requestBytes > 0 }
        let sawResponses = connections.values.contains { $0.record.responseBytes > 0 }
        if sawRequests == sawResponses { return nil }
        return sawRequests
            ? "only what clients sent: no answer is known"
            : "only what servers sent: what was asked is not known, nor when the streams were opened"
    }

    /// What is not as it should be, in words: the noun that the number goes with, and the rest.
    private static let trouble: [(RecordingHealth.Field, String, String)] = [
        (.packetsDroppedByKernel, "packet", "dropped by the kernel"),
        (.packetsDroppedByRing, "packet", "dropped because decoding or the output was too slow"),
        (.packetsDroppedByInterface, "packet", "dropped by the interface"),
        (.packetsCut, "packet", "cut by a snapshot length"),
        (.packetsUndecodable, "packet", "with damaged headers or of an unknown kind"),
        (.fragmentsLost, "IP fragment", "that could not be joined"),
        (.captureDamages, "damage", "of the capture file"),
        (.gaps, "gap", "in TCP streams"),
        (.lostBytes, "byte", "of payload missing"),
        (.segmentsStray, "segment", "too far from what was expected"),
        (.overlapDiffers, "byte", "of which two copies differ"),
        (.heldBytesExceeded, "gap", "given up for want of memory"),
        (.undecodableBytes, "byte", "of payload that could not be read as HTTP/2"),
        (.resynchronizations, "time", "frame boundaries were found again"),
        (.tablesReanchored, "header table", "re-anchored after a gap"),
        (.tablesForgotten, "header table", "forgotten after a gap"),
        (.fieldSectionsLost, "field section", "lost"),
        (.connectionErrors, "frame", "against HTTP/2's rules"),
        (.fieldBlocksTooLarge, "field block", "too large to read"),
        (.fieldBlocksMalformed, "field block", "against HPACK's rules"),
        (.sizeUpdates, "header table size", "beyond what was allowed"),
        (.framesUnfinished, "frame", "cut by the end of a connection or of the recording"),
        (.messagesDamaged, "gRPC message", "damaged"),
        (.messagesUndecodable, "gRPC message", "that could not be decoded"),
        (.connectionsEvicted, "connection", "forgotten for want of memory"),
        (.streamsEvicted, "stream", "forgotten for want of memory"),
        (.observedKeysDropped, "key", "of before the recording not kept"),
        (.connectionsHTTP1, "connection", "of HTTP/1"),
        (.connectionsOther, "connection", "of another protocol"),
    ]
}
