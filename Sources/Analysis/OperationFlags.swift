import Etcd

// Bit tests on the raw values: `contains` and `isDisjoint(with: [...])` of an option set from another module are not
// specialised, and were two thirds of an analysis's time.

extension Operation.Completeness {
    /// Whether any of the flags is set.
    func has(_ flags: Self) -> Bool { rawValue & flags.rawValue != 0 }
}

extension RequestOp.Flags {
    /// Whether any of the flags is set.
    func has(_ flags: Self) -> Bool { rawValue & flags.rawValue != 0 }
}
