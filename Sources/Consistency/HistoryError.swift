/// What is wrong with a history, and where.
package struct HistoryError: Error, Sendable, Equatable {
    /// From 1.
    package var line: Int
    /// Byte of the line, from 1; 0 where it is about the line as a whole.
    package var column: Int
    package var why: String
}
