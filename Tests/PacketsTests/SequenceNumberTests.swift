import Packets
import Testing

@Suite("Sequence numbers")
struct SequenceNumberTests {
    /// The places where signs and carries change.
    static let places: [UInt32] = [0, 1, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff]

    @Test("advancing and measuring are inverse within half the circle, around every corner", arguments: places)
    func distances(_ place: UInt32) {
        for shift in -600...600 {
            let start = SequenceNumber(place &+ UInt32(truncatingIfNeeded: shift))
            for corner in [0, 0x7fff_ffff - 600, -0x8000_0000 + 600] {
                for step in -600...600 {
                    let count = corner + step
                    guard count >= -0x8000_0000, count <= 0x7fff_ffff else { continue }
                    if start.advanced(by: count).distance(from: start) != count {
                        Issue.record("\(start.value) + \(count): \(start.advanced(by: count).distance(from: start))")
                        return
                    }
                }
            }
        }
    }

    @Test("numbers half the circle apart are -2^31 from each other both ways", arguments: places)
    func opposite(_ place: UInt32) {
        let one = SequenceNumber(place)
        let other = SequenceNumber(place &+ 0x8000_0000)
        #expect(one.distance(from: other) == -0x8000_0000)
        #expect(other.distance(from: one) == -0x8000_0000)
    }

    @Test("2^32 bytes further on is the same number", arguments: places)
    func wholeCircle(_ place: UInt32) {
        #expect(SequenceNumber(place).advanced(by: 1 << 32) == SequenceNumber(place))
        #expect(SequenceNumber(place).advanced(by: (1 << 32) + 5).distance(from: SequenceNumber(place)) == 5)
    }
}
