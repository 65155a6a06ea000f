/// Which file an open descriptor is, whatever its names: two with the same identity are the same file.
package struct FileIdentity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    @inlinable package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}
