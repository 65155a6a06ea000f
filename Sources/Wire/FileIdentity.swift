/// Which file an open descriptor is, whatever its names: two with the same identity are the same file.
public struct FileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    @inlinable public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}
