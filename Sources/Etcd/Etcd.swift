// Etcd: the operations of the etcd v3 API from the streams of a connection.
//
// In     HTTP2Event of both directions of one connection, with the bytes and fields that it names
// Out    Operation and its parts, in an OperationBatch that the caller owns, empties and uses again
// Meet   ConnectionCalls and CallContext (what a caller drives), MethodCatalogue, Operation, OperationBatch
// Inside StreamTable finds a PendingCall, MessageAssembler cuts messages from DATA, WireScanner reads fields,
//        CallDetails takes what a message says, and the call writes itself into CallOutput, which holds the batch;
//        CallContext opens, closes and evicts calls
// Names  of calls whose :path was not seen: CallShape says which methods fit a call's CollectedMessages (strictly, by
//        MessageSchema), EntryNames joins the calls of one table entry, ClosedSet and Likelihood decide what is left
// Client RequestWriter writes requests with values from a ValueSource, ResponseReader reads what they are answered
// Holds  the calls that are open, of all connections together; bounds and reasons in CallLimits
// Rules  field numbers of messages stand beside their scanner; what a lost byte makes uncertain beside MessageAssembler
