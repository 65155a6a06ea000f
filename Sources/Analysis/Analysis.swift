// Analysis: what a recorded workload is: one pass over operations, then figures, JSON and text.
//
// In     OperationBatch by OperationBatch, in any order (sums only), from a trace or straight from a recording
// Out    WorkloadReport: the numbers; as JSON (`kvreel.analysis/1`), as text for people
//        TraceHistory, in the trace's order: the history of keys for Consistency, and what it leaves out
// Meet   WorkloadAnalysis, WorkloadReport, Coverage, TextReport; EdgeTable and ChainTable for the papers' figures;
//        KeyClass for what a key is to Kubernetes; JSONWriter, KeyText and Figures for output
// Holds  one entry per distinct key, method, transaction pattern and value size; bounds in AnalysisLimits
// Rules  the meaning of each figure stands beside its field in WorkloadReport; docs/analyze.md explains them
