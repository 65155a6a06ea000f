// TLSRecords: plaintext of TLS 1.2 and 1.3 connections from their records and a key log, as a listener.
//
// In     bytes of each direction of a connection, in order, gaps named; secrets as lines of a key log (RFC 9850)
// Out    TLSEvent: application data in order, gaps of it with their length where that is known
// Meet   TLSConnection (one connection), KeyLog (the secrets), TLSOutput (where plaintext goes)
// Holds  at most one record a direction, or what waits for keys; bounds and reasons in TLSLimits
// Rules  sit beside their section: search for "RFC 8446 §", "RFC 5246 §"; nothing is believed but what an AEAD tag
//        proves, so no boundary, sequence number or key is ever guessed wrong
