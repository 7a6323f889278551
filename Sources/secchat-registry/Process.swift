internal import Glibc

/// What this program asks of the system for itself.
enum Process {
  /// Asks for as many descriptors as the system allows.
  ///
  /// - Returns: how many connections that leaves room for.
  static func raiseDescriptorLimit() -> Int {
    // For the loop, the database, the standard streams, and connections being turned away.
    let reserve = 128
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return 1_024 - reserve
    }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return Int(clamping: limit.rlim_cur) - reserve
  }

  static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
