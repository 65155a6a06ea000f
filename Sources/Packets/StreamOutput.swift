/// Where all reassemblers of a tracker put what they have to say.
struct StreamOutput {
    var events: [StreamEvent] = []
    var released: [UInt8] = []
    var health = TrackerHealth()
    /// Memory of out-of-order data, all directions together.
    var heldBytes = 0
}
