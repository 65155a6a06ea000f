// Generation: traces that nobody recorded: a real one enlarged, or a workload made from a few numbers.
//
// In     OperationBatches of a trace and how many copies of it, or the options of a synthetic workload; and a seed
// Out    OperationBatches of one history that a store could have had: revisions, counts and outcomes hold together
// Meet   Enlargement, SyntheticWorkload, SyntheticOptions; CopyRevisions for how N histories become one
// Holds  the whole trace that is enlarged, once, or the state of every synthetic key; bounds in GenerationLimits
// Rules  what is kept and what is changed: docs/generate.md
