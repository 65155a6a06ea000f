extension Array {
    /// Empties the array and keeps its memory. For arrays that hold an element or two, again and again: there it takes
    /// a fifth of the instructions of `removeAll(keepingCapacity: true)`, which goes the way of `replaceSubrange`.
    @inlinable public mutating func clear() {
        if isEmpty { return }
        clearElements()
    }

    @inlinable @inline(never)
    mutating func clearElements() {
        if count > 4 { return removeAll(keepingCapacity: true) }
        while !isEmpty { removeLast() }
    }
}
