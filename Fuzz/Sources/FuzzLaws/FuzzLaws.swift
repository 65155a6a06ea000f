// FuzzLaws: what must hold at each border of kvreel, whatever the bytes are.
//
// In     any bytes: what libFuzzer makes up, what it once found, what the seeds hold
// Out    nothing, or BrokenLaw, which says what does not hold; a trap, a hang and memory without bound speak for
//        themselves
// Meet   FuzzTarget (all of them, by name); one file a border: CaptureFileLaws, PacketLaws, TLSLaws, HTTP2Laws,
//        EtcdLaws, TraceLaws, PipelineLaws, ChainPaperLaws, ReplicaLaws, HistoryLaws;
//        InputWriter makes the seeds that their inputs are read from
// Holds  nothing between two inputs: a target says the same of the same bytes, in any order and process
// Rules  a law is stated beside its check, with what it does not cover
