/// The columns of blocks, by their numbers in the file (`docs/trace-format.md` tells what each holds). Numbers are
/// never changed or reused.
enum Column: Int, CaseIterable {
    // Totals of an operations block.
    case counts = 0
    case clock = 1
    case healthField = 2
    case healthValue = 3

    // Keys and texts: bytes shared with the string before, how many follow, and those.
    case keyShared = 4
    case keySuffixLength = 5
    case keySuffix = 6
    case textShared = 7
    case textSuffixLength = 8
    case textSuffix = 9

    // Shapes of operations: a row for each combination that occurs.
    case operationRole = 16
    case operationKind = 17
    case operationEvidence = 18
    case operationCompleteness = 19
    case operationMethod = 20
    case operationStatus = 21
    case operationPresence = 22
    case operationBody = 23
    case operationMask = 24

    // Operations.
    case operationShape = 32
    case duration = 33
    case end = 34
    case requestEnd = 35
    case responseStart = 36
    case operationKey = 37
    case connection = 38
    case stream = 39
    case methodText = 40
    case errorText = 41
    case operationLease = 42
    case ttl = 43
    case operationRevision = 44
    case watchID = 45
    case headerRevision = 46
    case partsCount = 47
    case partsStart = 48
    case eventsCount = 49
    case eventsStart = 50
    case requestMessages = 51
    case responseMessages = 52
    case requestBytes = 53
    case responseBytes = 54
    case requestWireBytes = 55
    case responseWireBytes = 56
    case operationInference = 57
    case operationCandidates = 58

    // Shapes of bodies (of operations and of parts).
    case bodyKind = 64
    case bodyBranch = 65
    case bodyDepth = 66
    case bodySortOrder = 67
    case bodySortTarget = 68
    case bodyFlags = 69
    case bodyMask = 70

    // Bodies.
    case partShape = 80
    case bodyKey = 81
    case bodyRangeEnd = 82
    case bodyLimit = 83
    case bodyRevision = 84
    case bodyLease = 85
    case bodyValueSize = 86
    case bodyCount = 87
    case bodyKeyValuesCount = 88
    case bodyKeyValuesStart = 89
    case bodyComparesCount = 90
    case bodyComparesStart = 91
    case bodyNestedParts = 92

    // Compares.
    case compareTarget = 96
    case compareRelation = 97
    case compareMask = 98
    case compareShape = 99
    case compareKey = 100
    case compareRangeEnd = 101
    case compareOperand = 102

    // Key-values.
    case keyValueKind = 104
    case keyValueMask = 105
    case keyValueShape = 106
    case keyValueKey = 107
    case createRevision = 108
    case modRevision = 109
    case version = 110
    case keyValueLease = 111
    case keyValueSize = 112

    // Observed state.
    case observedKind = 120
    case observedSource = 121
    case observedMask = 122
    case observedShape = 123
    case observedKey = 124
    case observedRangeEnd = 125
    case observedCreateRevision = 126
    case observedModRevision = 127
    case observedVersion = 128
    case observedLease = 129
    case observedValueSize = 130
    case observedCount = 131
    case observedNamed = 132

    // Connections.
    case connectionStart = 136
    case connectionContent = 137
    case connectionClosed = 138
    case connectionMask = 139
    case connectionShape = 140
    case connectionNumber = 141
    case connectionClient = 142
    case connectionServer = 143
    case connectionUserAgent = 144
    case connectionFirstTime = 145
    case connectionLastTime = 146
    case connectionRequestBytes = 147
    case connectionResponseBytes = 148
    case connectionLostBytes = 149
    case connectionGaps = 150
    case connectionUndecodableBytes = 151

    // The index block.
    case indexOffset = 160
    case indexType = 161
    case indexRecords = 162
    case indexFirstTime = 163
    case indexLastTime = 164

    // Replays: how many records there are, and those.
    case replays = 168
    case replaySendLag = 169
    case replayWait = 170
    case replayCall = 171
    case replayLoop = 172
    case replayDifference = 173

    /// One more than the highest number.
    static let limit = 174
}
