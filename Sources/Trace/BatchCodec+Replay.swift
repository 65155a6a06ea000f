import Etcd

// What a replay knows of its operations.
extension BatchCodec {
    /// Added to the difference of what stands for another call.
    private static var approximated: Int64 { 256 }
    /// Added to that of the warm-up.
    private static var warmUp: Int64 { 512 }
    /// Added to that of which the outcome was not compared.
    private static var uncompared: Int64 { 1024 }

    /// A record for each operation, or none at all. Calls end nearly in the order in which they were planned, so a
    /// call's number is close to the one before; send lag and wait are small where the replay keeps its times.
    mutating func codeReplays() {
        if counts.replays != 0, counts.replays != counts.operations { return coder.fail() }
        var previousCall: Int64 = -1
        for index in 0..<counts.replays {
            var record = Coder.encodes ? batch.replays[index] : ReplayRecord()
            coder.number(&record.released, .replaySendLag)
            var wait = record.intended &- record.released
            coder.number(&wait, .replayWait)
            var step = Int64(record.call) &- previousCall &- 1
            coder.number(&step, .replayCall)
            var loop = Int64(record.loop)
            coder.number(&loop, .replayLoop)
            var difference = Int64(record.difference)
            if record.isApproximated { difference += Self.approximated }
            if record.isWarmUp { difference += Self.warmUp }
            if record.isUncompared { difference += Self.uncompared }
            coder.number(&difference, .replayDifference)
            if Coder.encodes {
                previousCall = Int64(record.call)
                continue
            }
            record.intended = record.released &+ wait
            previousCall = previousCall &+ step &+ 1
            record.call = narrowed(previousCall)
            record.loop = narrowed(loop)
            guard (0..<2 * Self.uncompared).contains(difference) else { return coder.fail() }
            record.isUncompared = difference & Self.uncompared != 0
            record.isWarmUp = difference & Self.warmUp != 0
            record.isApproximated = difference & Self.approximated != 0
            record.difference = UInt8(truncatingIfNeeded: difference)
            batch.replays.append(record)
        }
    }
}
