import Chains
import Replay

/// A call under way, from when the driver gave it to its answer.
struct ChainCall {
    /// Which of its requests to the chain is under way.
    enum Stage: UInt8 {
        case first
        /// A delete has read the key, and takes it out if it still has that version.
        case deleting
        /// A comparison failed, and the key is read.
        case reading
    }

    /// The driver's.
    var number: UInt32
    var request: SingleKeyRequest
    /// Place of the key; where all are counted, of the one that is read.
    var key: Int
    var stage = Stage.first
    /// The request that is under way.
    var step = ClientRequest.Kind.read
    /// What it expects; of a delete what it read.
    var expected: Int64
    /// By the backend's clock, nanoseconds; 0 until it was sent, and until something was answered.
    var sent: Int64 = 0
    var firstByte: Int64 = 0
    /// When it is given up.
    var deadline: UInt64
    /// Before it is made again.
    var pause: UInt64
    /// When it is.
    var dueAt: UInt64 = 0
    var requestBytes: Int64 = 0
    var responseBytes: Int64 = 0

    /// Where all keys are counted, one after the other: those that hold a value.
    var found: Int64 = 0

    init(_ number: UInt32, _ request: SingleKeyRequest, key: Int, deadline: UInt64, pause: UInt64) {
        self.number = number
        self.request = request
        self.key = key
        self.deadline = deadline
        self.pause = pause
        expected = request.expected
    }
}
