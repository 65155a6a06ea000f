import Packets
import Testing
import Wire

@Suite("Reassembly: one direction in order")
struct ReassemblyTests {
    @Test("undisturbed data is handed on from the packet itself")
    func inOrder() throws {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.server("xy", acknowledging: 3)
        talk.client("def", at: 3, acknowledging: 2)
        #expect(talk.heard.count == 1)
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(text(talk.heard[0].response) == "xy")
        #expect(talk.heard[0].sources == [.packet, .packet, .packet])
        talk.finish()
        let connection = try #require(talk.heard[0].atClose)
        #expect(connection.start == .seen)
        #expect(connection.request.beginsAtStart)
        #expect(connection.request.payloadBytes == 6)
        #expect(connection.response.payloadBytes == 2)
        #expect(connection.client.description == "10.0.0.1:40000")
        #expect(connection.server.description == "10.0.0.2:2379")
        #expect(talk.health.connections == 1)
        #expect(talk.health.payloadBytes == 8)
        #expect(talk.health.lostBytes == 0)
    }

    @Test("data ahead of its turn waits, and nothing is lost")
    func outOfOrder() {
        var talk = Talk()
        talk.handshake()
        talk.client("ghi", at: 6)
        talk.client("def", at: 3)
        #expect(talk.heard[0].request.isEmpty)
        talk.client("abc")
        #expect(text(talk.heard[0].request) == "abcdefghi")
        #expect(talk.heard[0].sources == [.packet, .released, .released])
        #expect(talk.health.gaps == 0)
    }

    @Test("retransmissions with other borders are counted, their new bytes taken")
    func overlap() {
        var talk = Talk()
        talk.handshake()
        talk.client("abcd")
        talk.client("cdef", at: 2)
        talk.client("abcdef")
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(talk.health.retransmittedBytes == 8)
    }

    @Test("the first copy of a byte wins, also while it is held; what differs is counted")
    func firstCopyWins() {
        var talk = Talk()
        talk.handshake()
        talk.client("DEF", at: 3)
        talk.client("xxxdeFxx", at: 0)
        #expect(text(talk.heard[0].request) == "xxxDEFxx")
        #expect(talk.health.overlapDiffers == 2)
    }

    @Test("a hole is suspected when it is acknowledged, and given up 64 packets later, exactly")
    func acknowledgedHole() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.client("ghi", at: 6)
        talk.idle(2, acknowledging: 9)
        talk.idle(63, acknowledging: 9)
        #expect(text(talk.heard[0].request) == "abc")
        talk.idle(3, acknowledging: 9)
        #expect(text(talk.heard[0].request) == "abc...ghi")
        #expect(talk.health.lostBytes == 3)
        #expect(talk.health.gaps == 1)
    }

    @Test("data that comes late, but before the hole is given up, fills it")
    func lateData() {
        var talk = Talk()
        talk.handshake()
        talk.client("ghi", at: 6)
        talk.idle(50, acknowledging: 9)
        talk.client("def", at: 3)
        talk.client("abc")
        talk.idle(100, acknowledging: 9)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abcdefghi")
        #expect(talk.health.lostBytes == 0)
    }

    @Test("a hole that was acknowledged is given up after five seconds, not when the clock stepped back and returned")
    func holeAndClock() {
        var talk = Talk()
        talk.handshake()
        talk.client("ghi", at: 6)
        talk.idle(3, acknowledging: 9)
        talk.milliseconds -= 20_000
        talk.idle(3, acknowledging: 9)
        talk.milliseconds += 20_000
        talk.idle(3, acknowledging: 9)
        #expect(talk.heard[0].request.isEmpty)
        talk.milliseconds += 5_000
        talk.idle(1, acknowledging: 9)
        #expect(text(talk.heard[0].request) == "......ghi")
    }

    @Test("with 256 KiB more of the direction an acknowledged hole is given up")
    func holeAndBytes() {
        var talk = Talk()
        talk.handshake()
        talk.client("b", at: 1)
        talk.idle(2, acknowledging: 2)
        let block = String(repeating: "c", count: 32 << 10)
        for index in 0..<9 { talk.client(block, at: 2 + index * block.utf8.count) }
        #expect(talk.heard[0].request.count > 256 << 10)
        #expect(talk.health.lostBytes == 1)
    }

    @Test("one false acknowledgement far ahead costs nothing")
    func falseAcknowledgement() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.server(acknowledging: 1 << 20, flags: 0)
        talk.idle(200, acknowledging: 3)
        talk.client("def", at: 3)
        talk.server(acknowledging: 6)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(talk.health.lostBytes == 0)
    }

    @Test("a hole that nobody acknowledges is given up after 512 packets of its direction")
    func oneSidedHole() {
        var talk = Talk()
        talk.client(acknowledging: nil, flags: Flag.syn)
        for index in 0..<600 where index != 10 { talk.client("a", at: index) }
        #expect(talk.heard[0].gaps == [1])
        #expect(talk.heard[0].request.count > 500)
        talk.finish()
        #expect(talk.heard[0].request.count == 600)
        #expect(talk.health.lostBytes == 1)
    }

    @Test("or after 30 s without progress")
    func oneSidedHoleAndTime() {
        var talk = Talk()
        talk.client(acknowledging: nil, flags: Flag.syn)
        talk.client("b", at: 1)
        talk.milliseconds += 29_000
        talk.client("c", at: 2)
        #expect(talk.heard[0].request.isEmpty)
        talk.milliseconds += 2_000
        talk.client("d", at: 3)
        #expect(text(talk.heard[0].request) == ".bcd")
    }

    @Test("bytes acknowledged but never seen are lost; one beyond the last byte is the FIN's")
    func acknowledgedTail() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.server("x", acknowledging: 8)
        talk.client(at: 8, acknowledging: 2, flags: 0)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abc.....")
        #expect(text(talk.heard[0].response) == "x")
        #expect(talk.health.lostBytes == 5)
    }

    @Test("a direction of which nothing was seen has lost nothing")
    func unseenDirection() {
        var talk = Talk()
        talk.server(flags: Flag.syn)
        talk.server("xyz", acknowledging: 500)
        talk.server("uvw", at: 3, acknowledging: 900)
        talk.finish()
        #expect(text(talk.heard[0].response) == "xyzuvw")
        #expect(talk.heard[0].request.isEmpty)
        #expect(talk.health.lostBytes == 0)
    }

    @Test("keep-alive probes, with and without their byte, are never data")
    func keepAlive() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.server(acknowledging: 3, flags: 0)
        talk.client("", at: 2, flags: 0)
        talk.client("!", at: 2, flags: 0)
        talk.server(acknowledging: 3, flags: 0)
        talk.client("def", at: 3)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(talk.health.lostBytes == 0)
    }

    @Test("a probe's byte does not become data in the hole of what was lost before it")
    func keepAliveInHole() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.idle(2, acknowledging: 9)
        talk.client("!", at: 8, flags: 0)
        talk.client("jkl", at: 9)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abc......jkl")
    }

    @Test("joined midway, a probe in front is not the first byte")
    func keepAliveAtAttach() {
        var talk = Talk()
        talk.client("!", at: 99, flags: 0)
        talk.client("abc", at: 100)
        talk.server("x", at: 7, acknowledging: 103)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abc")
        #expect(text(talk.heard[0].response) == "x")
        #expect(talk.heard[0].atClose?.start == .midway)
        #expect(talk.heard[0].atClose?.request.beginsAtStart == false)
        #expect(talk.health.connectionsMidway == 1)
    }

    @Test("joined midway, the first packets may come out of order")
    func reorderedAttach() {
        var talk = Talk()
        talk.client("ghi", at: 106)
        talk.client("abc", at: 100)
        talk.client("def", at: 103)
        talk.idle(20, acknowledging: 109)
        #expect(text(talk.heard[0].request) == "abcdefghi")
    }

    @Test("a SYN behind the first data still names the start")
    func lateSYN() {
        var talk = Talk()
        talk.client("def", at: 3)
        talk.server("xyz", acknowledging: 6)
        talk.client("abc")
        talk.server(flags: Flag.syn)
        talk.client(acknowledging: nil, flags: Flag.syn)
        #expect(talk.heard.count == 1)
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(text(talk.heard[0].response) == "xyz")
        talk.finish()
        #expect(talk.heard[0].atClose?.start == .seen)
        #expect(talk.heard[0].atClose?.request.beginsAtStart == true)
        #expect(talk.heard[0].atClose?.response.beginsAtStart == true)
        #expect(talk.health.connectionsMidway == 0)
    }

    @Test("a SYN so late that data was handed on marks the start if it fits")
    func veryLateSYN() {
        var talk = Talk()
        talk.client("abc")
        talk.idle(20, acknowledging: 3)
        #expect(text(talk.heard[0].request) == "abc")
        #expect(talk.health.connectionsMidway == 1)
        talk.client(acknowledging: nil, flags: Flag.syn)
        talk.finish()
        #expect(talk.heard.count == 1)
        #expect(talk.heard[0].atClose?.request.beginsAtStart == true)
        #expect(talk.health.connectionsMidway == 0)
    }

    @Test("data in the SYN (fast open) is data")
    func fastOpen() {
        var talk = Talk()
        talk.client("abc", acknowledging: nil, flags: Flag.syn)
        talk.server(acknowledging: 3, flags: Flag.syn)
        talk.client("def", at: 3)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abcdef")
    }

    @Test("both sides may open at once")
    func simultaneousOpen() {
        var talk = Talk()
        talk.client(acknowledging: nil, flags: Flag.syn)
        talk.server(acknowledging: nil, flags: Flag.syn)
        talk.client(flags: Flag.syn)
        talk.server(flags: Flag.syn)
        talk.client("abc")
        talk.server("xyz", acknowledging: 3)
        talk.finish()
        #expect(talk.heard.count == 1)
        #expect(text(talk.heard[0].request) == "abc")
        #expect(text(talk.heard[0].response) == "xyz")
    }

    @Test("pure acknowledgements of an unknown connection open nothing")
    func acknowledgementsAlone() {
        var talk = Talk()
        talk.idle(5, acknowledging: 100)
        talk.client(flags: Flag.rst)
        talk.finish()
        #expect(talk.heard.isEmpty)
        #expect(talk.health.connections == 0)
    }

    @Test("a hole before a FIN is still filled; then the direction is finished")
    func dataAfterFIN() {
        var talk = Talk()
        talk.handshake()
        talk.client("def", at: 3, flags: Flag.fin)
        talk.server("x", flags: Flag.fin)
        #expect(talk.heard[0].finished == [.response])
        talk.client("abc")
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(talk.heard[0].finished == [.response, .request])
        talk.idle(2, acknowledging: 7)
        talk.finish()
        #expect(talk.health.lostBytes == 0)
        #expect(talk.heard[0].atClose?.end == .finished)
    }

    @Test("a FIN whose acknowledgement only was seen is no byte")
    func lostFIN() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.idle(100, acknowledging: 4)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abc")
        #expect(talk.health.lostBytes == 0)
    }

    @Test("data may come late after RST")
    func dataAfterReset() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.client(at: 6, flags: Flag.rst)
        #expect(talk.heard[0].wasReset)
        talk.client("def", at: 3)
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(talk.heard[0].atClose == nil)
        talk.finish()
        #expect(talk.heard[0].atClose?.end == .reset)
    }

    @Test("sequence numbers wrap", arguments: [UInt32.max - 4, .max - 1, .max, 0x7fff_fffc])
    func wrap(_ initial: UInt32) {
        var talk = Talk()
        talk.clientISN = initial
        talk.handshake()
        talk.client("def", at: 3)
        talk.client("abc")
        talk.server(acknowledging: 6)
        talk.client("ghi", at: 6)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abcdefghi")
    }

    @Test("a segment far away is let go, a run of them is where the connection goes on")
    func stray() {
        var talk = Talk()
        talk.handshake()
        talk.client("abc")
        talk.client("???", at: 500_000_000)
        talk.client("def", at: 3)
        #expect(text(talk.heard[0].request) == "abcdef")
        #expect(talk.health.straySegments == 1)
        let far = 100_000_000
        for index in 0..<6 { talk.client("xy", at: far + index * 2) }
        talk.finish()
        // The first three of the run prove the place; the fourth is read.
        #expect(talk.heard[0].gaps == [far + 6 - 6])
        #expect(talk.heard[0].request.suffix(6).allSatisfy { $0 != nil })
        #expect(talk.health.lostBytes == far)
    }

    @Test("a run of segments behind is another connection, whose SYN was not seen")
    func strayBehind() {
        var talk = Talk()
        talk.clientISN = 3_000_000_000
        talk.handshake()
        talk.client("abc")
        talk.clientISN = 2_000_000_000
        for index in 0..<6 { talk.client("xy", at: index * 2) }
        talk.finish()
        #expect(talk.heard.count == 2)
        #expect(text(talk.heard[0].request) == "abc")
        #expect(text(talk.heard[1].request) == "xyxyxy")
        #expect(talk.health.lostBytes == 0)
    }

    @Test("the part cut by a snap length is a gap in its place")
    func snapped() {
        var talk = Talk()
        talk.handshake()
        talk.send(talk.packet(.request, Array("abcdef".utf8)).cut(at: 43))
        #expect(text(talk.heard[0].request) == "abc...")
        talk.client("ghi", at: 6)
        talk.finish()
        #expect(text(talk.heard[0].request) == "abc...ghi")
        #expect(talk.health.lostBytes == 3)
        #expect(talk.health.gaps == 0)
        #expect(talk.health.packetsCut == 1)
    }

    @Test(
        "a whole copy of a cut segment wins while it is not handed on, whichever came first", arguments: [true, false])
    func snappedAndWhole(_ wholeFirst: Bool) {
        var talk = Talk()
        talk.handshake()
        let cut = talk.packet(.request, Array("defghi".utf8), at: 3).cut(at: 42)
        let whole = talk.packet(.request, Array("efg".utf8), at: 4)
        talk.send(wholeFirst ? whole : cut)
        talk.send(wholeFirst ? cut : whole)
        talk.client("abc")
        talk.finish()
        #expect(text(talk.heard[0].request) == "abcdefg..")
        #expect(talk.health.lostBytes == 2)
    }
}
