import CUV

/// Why a stream, a listener or a name look-up could not go on.
package enum NetError: Error, Equatable, CustomStringConvertible {
  /// The peer ended the stream in order, or this side closed it.
  case closed
  case reset
  case timedOut
  case refused
  case unreachable
  case addressInUse
  case addressUnavailable
  case permissionDenied
  case unresolvable
  /// A Unix socket's path that does not exist.
  case notFound
  /// More was asked for than a buffer may hold, or a peer left too much unread.
  case overflow
  case cancelled
  case invalidAddress
  /// No descriptors or memory left.
  case exhausted
  case system(Int32)

  package var description: String {
    switch self {
    case .closed: "the connection was closed"
    case .reset: "the connection was broken off"
    case .timedOut: "no answer in time"
    case .refused: "the connection was refused"
    case .unreachable: "the network or host cannot be reached"
    case .addressInUse: "the address is already in use"
    case .addressUnavailable: "the address is not one of this machine"
    case .permissionDenied: "permission denied"
    case .unresolvable: "no such host"
    case .notFound: "no such socket"
    case .overflow: "the other side sends or leaves unread more than allowed"
    case .cancelled: "cancelled"
    case .invalidAddress: "not an address"
    case .exhausted: "the system is out of descriptors or memory"
    case .system(let code): "the system reported error \(code)"
    }
  }

  /// From libuv's status, a negative errno on Unix.
  init(status: Int32) {
    self =
      switch uv_errno_t(status) {
      case UV_EOF: .closed
      case UV_ECONNRESET, UV_EPIPE, UV_ECONNABORTED, UV_ENOTCONN: .reset
      case UV_ETIMEDOUT: .timedOut
      case UV_ECONNREFUSED: .refused
      case UV_ENETUNREACH, UV_EHOSTUNREACH, UV_ENETDOWN, UV_EHOSTDOWN: .unreachable
      case UV_EADDRINUSE: .addressInUse
      case UV_EADDRNOTAVAIL, UV_EAFNOSUPPORT: .addressUnavailable
      case UV_EACCES, UV_EPERM: .permissionDenied
      case UV_ENOENT: .notFound
      case UV_ECANCELED: .cancelled
      case UV_EINVAL, UV_ENAMETOOLONG: .invalidAddress
      case UV_EMFILE, UV_ENFILE, UV_ENOMEM, UV_ENOBUFS: .exhausted
      default: .system(-status)
      }
  }
}
