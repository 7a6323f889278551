internal import SecchatCore
internal import SecchatNet

/// Where a registry is and which key it must prove.
struct RegistryAddress: Equatable, Sendable {
  static let defaultPort: UInt16 = 7_499

  let host: String
  let port: UInt16
  let key: LinkPublicKey

  /// `HOST:PORT`, an IPv6 host in brackets: how pins of registries are kept.
  static func text(_ host: String, _ port: UInt16) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  var text: String { Self.text(host, port) }

  /// The parts of `NAME@HOST[:PORT]`.
  static func parse(user: String) -> (name: UserName, host: String, port: UInt16)? {
    guard let at = user.firstIndex(of: "@"), let name = UserName(String(user[..<at])) else { return nil }
    let place = String(user[user.index(after: at)...])
    guard let (host, port) = split(place) else { return nil }
    return (name, host, port)
  }

  /// A host with or without a port.
  static func split(_ place: String) -> (host: String, port: UInt16)? {
    if let (host, port) = SocketAddress.split(place) {
      return port > 0 && isHost(host) ? (host.lowercased(), port) : nil
    }
    let bare = place.hasPrefix("[") && place.hasSuffix("]") ? String(place.dropFirst().dropLast()) : place
    guard isHost(bare) else { return nil }
    return (bare.lowercased(), defaultPort)
  }

  /// A host name or a numeric address; nothing that could not be either reaches the resolver or the terminal.
  private static func isHost(_ host: String) -> Bool {
    (1...253).contains(host.utf8.count)
      && host.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x3a, 0x5f, 0x25: true
        default: false
        }
      }
  }
}
