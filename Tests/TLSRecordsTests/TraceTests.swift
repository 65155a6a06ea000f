import TLSRecords
import Testing
import Wire

@Suite("The traces of RFC 8448")
struct RFC8448Tests {
    private static let sizes = [[1 << 16], [1], [2], [5], [7, 1, 300], [64]]

    @Test("§3: the data of both sides comes out, in segments of any size", arguments: sizes)
    func simple(_ pieces: [Int]) {
        typealias Trace = SimpleHandshake
        var listener = Listener(keyLog: Trace.keyLog)
        listener.receive(Trace.clientHello, .request, pieces: pieces)
        listener.receive(Trace.serverHello + Trace.serverFlight, .response, pieces: pieces)
        listener.receive(Trace.clientFinished, .request, pieces: pieces)
        listener.receive(Trace.newSessionTicket, .response, pieces: pieces)
        listener.receive(Trace.clientData, .request, pieces: pieces)
        listener.receive(Trace.serverData, .response, pieces: pieces)
        listener.finish()
        #expect(listener.heard(.request) == [.started(.request), .data(.request, Trace.payload)])
        #expect(listener.heard(.response) == [.started(.response), .data(.response, Trace.payload)])
        #expect(listener.connection.health.records == 5)
        #expect(listener.connection.health.recordsUnopened == 0)
    }

    @Test("§3: without the handshake's secrets its records are passed over, and the data comes out")
    func onlyTrafficSecrets() {
        typealias Trace = SimpleHandshake
        let lines = Trace.keyLog.split(separator: "\n").filter { $0.contains("TRAFFIC_SECRET_0") }
        var listener = Listener(keyLog: lines.joined(separator: "\n"))
        listener.receive(Trace.clientHello, .request)
        listener.receive(Trace.serverHello + Trace.serverFlight, .response)
        listener.receive(Trace.clientFinished + Trace.clientData, .request)
        listener.receive(Trace.newSessionTicket + Trace.serverData, .response)
        #expect(listener.heard(.request) == [.started(.request), .data(.request, Trace.payload)])
        #expect(listener.heard(.response) == [.started(.response), .data(.response, Trace.payload)])
    }

    @Test("§4: early data that the server took comes first", arguments: sizes)
    func earlyData(_ pieces: [Int]) {
        typealias Trace = ResumedHandshake
        var listener = Listener(keyLog: Trace.keyLog)
        listener.receive(Trace.clientHello + Trace.earlyData, .request, pieces: pieces)
        listener.receive(Trace.serverHello + Trace.serverFlight, .response, pieces: pieces)
        #expect(listener.data(.request) == [], "whether the server took it is not known yet")
        listener.receive(Trace.endOfEarlyData + Trace.clientFinished, .request, pieces: pieces)
        listener.receive(Trace.clientData + Trace.clientClose, .request, pieces: pieces)
        listener.receive(Trace.serverData + Trace.serverClose, .response, pieces: pieces)
        #expect(
            listener.heard(.request) == [
                .started(.request), .data(.request, Trace.early), .data(.request, Trace.payload),
            ])
        #expect(listener.heard(.response) == [.started(.response), .data(.response, Trace.payload)])
    }

    @Test("§4: early data of which the end was lost is no data, but a gap")
    func earlyDataInDoubt() {
        typealias Trace = ResumedHandshake
        var listener = Listener(keyLog: Trace.keyLog)
        listener.receive(Trace.clientHello + Trace.earlyData, .request)
        listener.receive(Trace.serverHello + Trace.serverFlight, .response)
        listener.connection.receiveGap(Trace.endOfEarlyData.count + Trace.clientFinished.count, .request)
        listener.receive(Trace.clientData, .request)
        #expect(listener.heard(.request).count == 3)
        #expect(listener.heard(.request).first == .started(.request))
        #expect(listener.heard(.request).last == .data(.request, Trace.payload))
        #expect(listener.data(.request) == Trace.payload)
    }

    @Test("one wrong bit in any byte of a data record, and nothing comes out of it")
    func tamper() {
        typealias Trace = SimpleHandshake
        for index in Trace.clientData.indices {
            var listener = Listener(keyLog: Trace.keyLog)
            listener.receive(Trace.clientHello, .request)
            listener.receive(Trace.serverHello + Trace.serverFlight, .response)
            var record = Trace.clientData
            record[index] ^= 1
            listener.receive(Trace.clientFinished + record, .request)
            listener.finish()
            #expect(listener.data(.request) == [], "byte \(index)")
        }
    }
}
