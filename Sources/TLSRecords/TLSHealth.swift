/// What decryption counted. Additive.
package struct TLSHealth: Sendable, Equatable {
    /// Protected records that were opened.
    package var records = 0
    /// Protected records that were there and could not be opened although keys of the connection are known: damaged,
    /// or of the handshake where its secrets are not in the key log.
    package var recordsUnopened = 0
    /// Times that the next record and its sequence number were found again behind missing bytes.
    package var resynchronizations = 0

    package init() {}

    package static func + (left: TLSHealth, right: TLSHealth) -> TLSHealth {
        var sum = left
        sum.records &+= right.records
        sum.recordsUnopened &+= right.recordsUnopened
        sum.resynchronizations &+= right.resynchronizations
        return sum
    }
}
