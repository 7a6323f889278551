internal import Glibc

/// The wall clock: for what people read, never for what protocols decide.
enum Clock {
  static var unixMilliseconds: Int64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
  }

  static var unixSeconds: UInt64 { UInt64(max(0, unixMilliseconds / 1_000)) }
}
