import Wire

/// The two ends of a connection, as its place in a table is computed from them.
struct ConnectionKey: Equatable {
    var client: Endpoint
    var server: Endpoint

    /// The order of addresses in a table is seen by nobody, so the seed may be another one in every process.
    func hash(seed: UInt64) -> Int {
        let factor = HashSeed.factor(seed)
        let ports = UInt64(client.port) << 16 | UInt64(server.port)
        var state = HashSeed.mixed(seed ^ client.address.low, factor)
        state = HashSeed.mixed(state ^ server.address.low, factor)
        state = HashSeed.mixed(state ^ ports, factor)
        // Of IPv4 there is nothing more.
        if client.address.high | server.address.high != 0 {
            state = HashSeed.mixed(state ^ client.address.high, factor)
            state = HashSeed.mixed(state ^ server.address.high, factor)
        }
        return Int(truncatingIfNeeded: state >> 32)
    }
}
