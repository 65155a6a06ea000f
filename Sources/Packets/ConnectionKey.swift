/// The two ends of a connection, as its place in a table is computed from them.
struct ConnectionKey: Equatable {
    var client: Endpoint
    var server: Endpoint

    /// Not keyed: whoever can flood the table can flood it with connections as well, which a limit bounds.
    var hash: Int {
        let ports = UInt64(client.port) << 16 | UInt64(server.port)
        var state = (client.address.low ^ ports << 32) &* 0x9e37_79b9_7f4a_7c15
        state = (state ^ state >> 29 ^ server.address.low ^ ports) &* 0xbf58_476d_1ce4_e5b9
        state = (state ^ state >> 32 ^ client.address.high) &* 0x94d0_49bb_1331_11eb
        state = (state ^ state >> 29 ^ server.address.high) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: state >> 32)
    }
}
