internal import CSystem
internal import Glibc

/// What a system call failed with.
struct SystemError: Error, Equatable, CustomStringConvertible {
  let code: Int32

  init(_ code: Int32) { self.code = code }

  /// The calling thread's `errno`.
  static var last: SystemError { SystemError(errno) }

  /// Whether there is no room: the disk's, or the user's share of it.
  var isNoRoom: Bool { code == ENOSPC || code == EDQUOT }

  var description: String {
    switch code {
    case EACCES, EPERM: "permission denied"
    case ENOENT: "not found"
    case ENOTDIR, ELOOP: "something on the way is not a folder"
    case EEXIST: "the name is taken"
    case ENOSPC: "the disk is full"
    case EDQUOT: "the disk quota is used up"
    case EROFS: "the file system is read-only"
    case EIO: "the disk reported an error"
    case ENAMETOOLONG: "the name is too long"
    case EFBIG: "the file would be too large"
    case EMFILE, ENFILE: "too many files are open"
    default: "system error \(code)"
    }
  }

  /// Calls again while a signal interrupts; a negative answer is an error, its reason in `errno`.
  static func check<Number: BinaryInteger>(_ call: () -> Number) throws(SystemError) -> Number {
    while true {
      let answer = call()
      if answer >= 0 { return answer }
      if errno != EINTR { throw .last }
    }
  }
}
