// Packets: the bytes of TCP connections, in order and with gaps named, from captured packets.
//
// In     captured packets of any link type, one at a time, in the order of the recording, each with its time
// Out    StreamEvent: opened, data, gap, finished, reset, closed; slot, direction and time on each
// Meet   ConnectionTracker, TrackedConnection, TrackerHealth; inside LinkLayer, IPDatagram, TCPSegment, Reassembler
// Holds  two Reassemblers per connection, out-of-order data, fragments; bounds and reasons in TrackerLimits
// Rules  the first copy of a byte wins; a hole is given up late (HoleWait, TrackerLimits), a gap is exact; TCP
//        checksums are never looked at; RFC 9293 (TCP), RFC 791 and RFC 8200 (IP) stand beside what follows them
