// Trace: operations at rest, in `.kvr` files. `docs/trace-format.md` says what lies where, byte for byte.
//
// In     OperationBatches; or a file, a pipe, standard input
// Out    blocks with checksums, each readable alone; or the batches again, field for field, and what was lost of them
// Meet   TraceWriter, TraceReader, TraceMeta, TraceDamage; BatchMerge, which makes one trace's batches of several's;
//        for bytes without files BlockEncoder, BlockDecoder
// Holds  one block in memory; bounds and reasons in TraceLimits
// Rules  BatchCodec walks through records once for both directions; a Column's number never changes its meaning
