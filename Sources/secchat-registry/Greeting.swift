internal import SecchatArguments
internal import SecchatCore
internal import SecchatNet
internal import SecchatRegistry

/// What is printed at the start: how to reach this registry, and how to know it.
@LoopActor struct Greeting {
  private let listenHost: String
  private let port: UInt16
  private let key: String
  private let fingerprint: String
  private let url: String

  init(_ registry: Registry, listening: HostPort) {
    listenHost = registry.address.host
    port = registry.address.port
    key = KeyText.encode(registry: registry.key)
    fingerprint = Fingerprint(ofRegistry: registry.key).description
    url = "secchat://\(Self.reachable(registry.address, listening))/\(key)"
  }

  /// An address that others can use: the host as it was given, or for a wildcard one of this machine's own.
  private static func reachable(_ address: SocketAddress, _ listening: HostPort) -> String {
    guard address.isUnspecified else {
      return HostPort(host: listening.host, port: address.port).description
    }
    let own = interfaceAddresses().filter { !$0.isLoopback && !$0.isLinkLocal }
    // An IPv4 address first: it is what every client can dial.
    let best = own.first { !$0.isIPv6 } ?? (address.isIPv6 ? own.first : nil)
    let fallback = SocketAddress(host: "127.0.0.1", port: 0)
    return (best ?? fallback)?.with(port: address.port).description ?? address.description
  }

  func text(json: Bool) -> String {
    guard json else {
      return """
        secchat-registry listens on \(HostPort(host: listenHost, port: port))
        address      \(url)
        fingerprint  \(fingerprint)

        """
    }
    let fields = [
      #""v":1"#, #""type":"listening""#, #""host":\#(quoted(listenHost))"#, #""port":\#(port)"#,
      #""key":\#(quoted(key))"#, #""fingerprint":\#(quoted(fingerprint))"#, #""url":\#(quoted(url))"#,
    ]
    return "{" + fields.joined(separator: ",") + "}\n"
  }

  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..."\u{1f}", "\u{7f}": break
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
