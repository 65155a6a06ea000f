import CaptureFiles
import Foundation

/// A folder of capture files that goes away with it.
final class CaptureFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("kvreel-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }
}

/// Everything that a reader said of some files.
struct ReadFiles {
    var packets: [ReadPacket] = []
    var secrets: [DecryptionSecrets] = []
    var health = CaptureHealth()
    var bytesRead = 0
    var totalBytes: Int?
    /// Largest storage that a batch had, in bytes.
    var storageBytes = 0

    init(_ paths: [String], limits: CaptureLimits = CaptureLimits()) throws {
        var reader = try CaptureReader(paths: paths, limits: limits)
        var batch = PacketBatch()
        while try reader.next(into: &batch) {
            packets += batch.packets.map { ReadPacket($0, of: batch) }
            secrets += batch.secrets
            storageBytes = max(storageBytes, batch.storage.count)
        }
        health = reader.health
        bytesRead = reader.bytesRead
        totalBytes = reader.totalBytes
    }
}
