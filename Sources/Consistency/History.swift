/// Operations of clients on registers, one register for each key.
///
/// A register begins absent, unless the history has versions.
package struct History: Sendable {
    /// What the values are.
    package enum Values: Sendable {
        /// Texts, or absence. Nothing is known of an order among them.
        case names
        /// Numbers that the store gave to the states of a key: every change of the key has a higher one than those
        /// before it, and none has 0, which is absence. What was there at the beginning is not known, and changes by
        /// clients that the history does not have are possible.
        case versions
    }

    package var operations: [HistoryOperation] = []
    package var keys = NameTable()
    /// The texts of values; empty where they are versions.
    package var values = NameTable()
    package let kindOfValues: Values

    package init(_ kindOfValues: Values = .names) { self.kindOfValues = kindOfValues }

    /// Numbers of the operations of each key, `numbers[starts[key]..<starts[key + 1]]`, in the order of the history.
    /// Precondition: every operation's key is no higher than the count of `keys`.
    func groupedByKey() -> (starts: [Int], numbers: [Int32]) {
        var starts = [Int](repeating: 0, count: keys.count + 2)
        for operation in operations { starts[Int(operation.key) + 1] += 1 }
        for key in starts.indices.dropFirst() { starts[key] += starts[key - 1] }
        var places = starts
        var numbers = [Int32](repeating: 0, count: operations.count)
        for number in operations.indices {
            let key = Int(operations[number].key)
            numbers[places[key]] = Int32(truncatingIfNeeded: number)
            places[key] += 1
        }
        return (starts, numbers)
    }
}
