import SecchatArguments

/// A name and the registry it is claimed at, as the command line says it.
///
///     alice@HOST[:PORT]                    the key is asked for, or known
///     alice@secchat://HOST:PORT/KEY        with the address that the registry prints
///     alice, and that address as the key
struct RegistryTarget: Equatable {
  private static let scheme = "secchat://"

  /// `NAME@HOST:PORT`
  let user: String
  /// The key's text, where it was given.
  let key: String?

  init(_ text: String, key: String?) throws(UsageError) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    var keyText = key
    var host = parts.count == 2 ? parts[1] : nil
    if let address = host, address.hasPrefix(Self.scheme) {
      (host, keyText) = try Self.split(address, otherKey: key)
    } else if let address = key, address.hasPrefix(Self.scheme) {
      let (named, its) = try Self.split(address, otherKey: nil)
      if let host, try Self.place(host) != Self.place(named) {
        throw UsageError(
          "'\(host)' is not the registry of the address with the key", hint: "leave out one of the two")
      }
      (host, keyText) = (named, its)
    }
    guard let host, !parts[0].isEmpty else {
      throw UsageError(
        "'\(text)' names no user at a registry", hint: "write it as alice@HOST or alice@HOST:PORT")
    }
    user = "\(parts[0])@\(try Self.place(host))"
    self.key = keyText
  }

  private static func place(_ host: String) throws(UsageError) -> HostPort {
    try ValueParser.hostPort(defaultPort: Release.registryPort).parse(host, of: "the registry")
  }

  private static func split(_ address: String, otherKey: String?) throws(UsageError) -> (String, String) {
    let parts = address.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].isEmpty else {
      throw UsageError("'\(address)' is no registry's address", hint: "write it as secchat://HOST:PORT/KEY")
    }
    let key = String(parts[1])
    if let otherKey, otherKey != key, otherKey != address {
      throw UsageError("two different keys are given", hint: "leave out --registry-key")
    }
    return (String(parts[0]), key)
  }
}
