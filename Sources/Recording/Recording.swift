// Recording: the pipeline that joins the decoders. Packets in, batches of operations out, memory limited.
//
// In     PacketBatch from CaptureFiles (a file, a pipe or a live interface)
// Out    OperationBatch, whenever one is full; the last one at the end, with the recording's health
// Meet   RecordingPipeline (pure: no file, no clock), RecordedConnection, RecordingLimits; TraceRecorder
// Holds  one RecordedConnection per slot of the connection tracker; everything else lives in the decoders
// Rules  one packet at a time, in the order of the capture; connections never look at each other
