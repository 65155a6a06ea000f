/// A block of IPv4 addresses: those that share the first bits with its network.
package struct AddressBlock: Equatable, BitwiseCopyable, Sendable {
    package let network: UInt32
    private let mask: UInt32

    /// `prefixLength` is 0, all addresses, to 32, one; what is beyond is taken as the nearer of both.
    package init(network: UInt32, prefixLength: Int) {
        mask = prefixLength <= 0 ? 0 : UInt32.max << UInt32(32 - min(prefixLength, 32))
        self.network = network & mask
    }

    package func contains(_ address: UInt32) -> Bool { address & mask == network }
}
