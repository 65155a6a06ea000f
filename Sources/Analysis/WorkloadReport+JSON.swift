import Wire

extension WorkloadReport {
    /// The object of `kvreel analyze --json` (`docs/analyze.md`), schema `kvreel.analysis/1`.
    package func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("schema", "kvreel.analysis/1")
        writeCoverage(to: &json)
        if let window {
            json.name("window")
            json.beginCompactObject()
            json.member("first_ns", window.first.nanoseconds)
            json.member("duration_ns", window.nanoseconds)
            json.endObject()
        }
        json.name("methods")
        json.beginObject()
        for method in methods { write(method, to: &json) }
        json.endObject()
        writeCalls(to: &json)
        writeStreams(to: &json)
        writePapers(to: &json)
        writeKeys(to: &json)
        write("values", to: &json) {
            $0.member("count", values.count)
            $0.member("bytes", values.bytes)
            $0.member("min", values.smallest)
            $0.member("max", values.largest)
            $0.member("p50", values.median)
        }
        if !dropped.isEmpty {
            write("dropped", to: &json) {
                $0.member("key_uses", dropped.keyUses)
                $0.member("patterns", dropped.patterns)
                $0.member("method_calls", dropped.methodCalls)
            }
        }
        json.endObject()
    }

    private func write(_ name: String, to json: inout JSONWriter, _ members: (inout JSONWriter) -> Void) {
        json.name(name)
        json.beginCompactObject()
        members(&json)
        json.endObject()
    }

    private func writeCoverage(to json: inout JSONWriter) {
        write("coverage", to: &json) {
            $0.member("requests", coverage.requests)
            $0.member("seen", coverage.seen)
            $0.member("inferred", coverage.inferred)
            $0.member("ambiguous", coverage.ambiguous)
            $0.member("lost", coverage.lost)
            $0.member("undecoded", coverage.undecoded)
            $0.member("unanswered", coverage.unanswered)
            $0.member("gaps", coverage.gaps)
            $0.member("lost_bytes", coverage.lostBytes)
            $0.member("dropped_packets", coverage.droppedPackets)
            $0.member("connections", coverage.connections)
            $0.member("encrypted_connections", coverage.encryptedConnections)
        }
    }

    private func write(_ method: MethodReport, to json: inout JSONWriter) {
        write(method.path, to: &json) {
            $0.member("requests", method.requests)
            $0.member("completed", method.completed)
            $0.member("request_messages", method.requestMessages)
            $0.member("response_messages", method.responseMessages)
            $0.name("status")
            $0.beginObject()
            for status in method.statuses { $0.member(String(status.code), status.count) }
            $0.endObject()
        }
    }

    private func writeCalls(to json: inout JSONWriter) {
        write("range", to: &json) {
            $0.member("requests", range.requests)
            $0.member("single_key", range.singleKey)
            $0.member("prefix", range.prefix)
            $0.member("serializable", range.serializable)
            $0.member("count_only", range.countOnly)
            $0.member("keys_only", range.keysOnly)
            $0.member("limited", range.limited)
            $0.member("at_revision", range.atRevision)
            $0.member("keys_returned", range.keysReturned)
        }
        write("put", to: &json) {
            $0.member("requests", put.requests)
            $0.member("with_lease", put.withLease)
            $0.member("value_bytes", put.valueBytes)
        }
        json.name("txn")
        json.beginObject()
        json.member("requests", txn.requests)
        json.member("succeeded", txn.succeeded)
        json.member("failed", txn.failed)
        json.name("patterns")
        json.beginObject()
        for pattern in patterns {
            write(pattern.text, to: &json) {
                $0.member("requests", pattern.requests)
                $0.member("succeeded", pattern.succeeded)
                $0.member("failed", pattern.failed)
            }
        }
        json.endObject()
        json.endObject()
    }

    private func writeStreams(to json: inout JSONWriter) {
        write("watch", to: &json) {
            $0.member("creates", watch.creates)
            $0.member("cancels", watch.cancels)
            $0.member("progress", watch.progress)
            $0.member("created", watch.created)
            $0.member("canceled", watch.canceled)
            $0.member("responses", watch.responses)
            $0.member("put_events", watch.putEvents)
            $0.member("delete_events", watch.deleteEvents)
        }
        write("lease", to: &json) {
            $0.member("grants", lease.grants)
            $0.member("revokes", lease.revokes)
            $0.member("keepalives", lease.keepAlives)
        }
    }

    private func writePapers(to json: inout JSONWriter) {
        json.name("edge_table1")
        json.beginObject()
        for (view, counts) in [("requested", requested), ("executed", executed)] {
            write(view, to: &json) {
                $0.member("range", range.requests)
                $0.member("txn_range", counts.ranges)
                $0.member("txn_put", counts.puts)
                $0.member("txn_delete", counts.deletes)
                $0.member("watch_create", watch.creates)
            }
        }
        json.endObject()
        write("netcraq_iid", to: &json) {
            $0.member("single_key_reads", chain.singleKeyReads)
            $0.member("writes", chain.writes)
            $0.member("write_share", share: chain.writeShare)
            $0.member("top25_read_share", share: chain.hottestShare)
            $0.member("proposals", chain.proposals)
            $0.member("unknown_outcome", chain.unknownOutcomes)
        }
    }

    private func writeKeys(to json: inout JSONWriter) {
        json.name("keys")
        json.beginObject()
        json.member("distinct", distinctKeys)
        for (name, skew) in [("zipf_reads", readSkew), ("zipf_writes", writeSkew)] {
            if let skew { json.member(name, decimal: skew.exponent) }
        }
        for (list, counted, keys) in [("top_reads", "reads", topReads), ("top_writes", "writes", topWrites)] {
            json.name(list)
            json.beginArray()
            for entry in keys {
                json.beginCompactObject()
                json.member("key", entry.key.span)
                json.member(counted, entry.count)
                json.endObject()
            }
            json.endArray()
        }
        json.endObject()
    }
}
