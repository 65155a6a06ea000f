// Wire: what every module that reads the wire shares, and nothing more.
//
// Holds  CaptureTime, LinkType, Direction, FileIdentity; big-endian loads and byte comparison over Span<UInt8>, stores
//        into arrays; a hash of bytes, and what it is keyed with; numbers from a seed,
//        and the few functions that they and figures need
// Meet   CaptureTime; ByteReading.swift and ByteWriting.swift (the places of this module that may say `unsafe`)
// Rules  no state, no I/O; anything with a policy belongs to the module whose policy it is
