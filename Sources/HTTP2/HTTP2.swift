// HTTP2: frames and field sections from the bytes of one connection, read as a listener who may come late; and the
// client's side of a connection of our own.
//
// In     runs of bytes and gaps of both directions, from Packets; may begin midway
// Out    HTTP2Event: field sections, data ranges, resets, losses; stream id and time on each
// Meet   ConnectionReader, DirectionReader, FrameHunter, HPACKDecoder, DynamicTable, TableAnchor
// Client ClientConnection: bytes of the server in, ClientEvents out, bytes for the server appended to an array;
//        HPACKEncoder, ClientStreams; bounds and reasons in ClientLimits
// Holds  one dynamic table per direction, unfinished frame headers and field blocks; bounds and reasons in
// ConnectionLimits
// Rules  sit beside their section: search for "RFC 9113 §" and "RFC 7541 §"
