internal import Glibc

/// What others may fill of a disk: the machine, and its user, keep some.
enum DiskRoom {
  /// Bytes that are free beyond that; all there could be where the system does not say.
  static func spare(at path: String) -> UInt64 {
    var space = statvfs()
    guard unsafe statvfs(path, &space) == 0 else { return .max }
    return spare(space)
  }

  static func spare(_ space: statvfs) -> UInt64 {
    let free = product(space.f_bavail, space.f_frsize)
    let size = product(space.f_blocks, space.f_frsize)
    let reserve = min(FileLimits.reserve, size / FileLimits.reserveShare)
    return free - min(free, reserve)
  }

  private static func product(_ count: UInt, _ size: UInt) -> UInt64 {
    let (product, overflow) = UInt64(count).multipliedReportingOverflow(by: UInt64(size))
    return overflow ? .max : product
  }
}
