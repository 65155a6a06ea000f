package import Etcd
import Wire

/// A number by which two programs can tell that they read the same trace: of every operation when, what, of which key,
/// and how it was answered. However the operations are spread over batches.
package struct WorkloadDigest: Sendable {
    package private(set) var value: UInt64 = 0

    package init() {}

    package mutating func add(_ batch: borrowing OperationBatch) {
        let bytes = batch.keys.bytes
        for operation in batch.operations {
            let key = batch.keys.range(of: operation.key)
            mix(bytes.span.extracting(key).hash64())
            mix(UInt64(bitPattern: operation.time.nanoseconds))
            mix(UInt64(operation.kind.rawValue) << 32 | UInt64(operation.status ?? .max))
            mix(UInt64(bitPattern: operation.headerRevision))
        }
    }

    /// The same of what is written before the run.
    package mutating func add(_ preload: PreloadPlan, keys: borrowing ByteTable) {
        let bytes = keys.bytes
        for lease in preload.leases { mix(UInt64(bitPattern: lease.ttl)) }
        for put in preload.puts {
            mix(bytes.span.extracting(keys.range(of: put.key)).hash64())
            mix(UInt64(bitPattern: put.valueSize))
            mix(put.lease.map { UInt64($0) } ?? .max)
        }
    }

    @inline(__always)
    private mutating func mix(_ word: UInt64) {
        var source = SplitMix64(seed: value ^ word)
        value = source.next()
    }
}
