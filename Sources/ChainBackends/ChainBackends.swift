// ChainBackends: chains of NetCRAQ and NetChain as stores that a replay runs on.
//
// In     StoreRequests that name one key each; the keys that the run will name, before it
// Out    StoreAnswers that look like etcd's, with versions in the place of revisions; a chain, started or talked to
// Meet   ChainBackend, ChainBackendOptions, SingleKeyRequest, ChainRevision
// Holds  the calls under way and the names of keys in flat arrays; bounds and reasons in ChainBackendLimits
// Rules  docs/backends.md, "What a chain answers"
