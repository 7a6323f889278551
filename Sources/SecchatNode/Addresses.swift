internal import SecchatCore
internal import SecchatNet

extension SocketAddress {
  /// An address as it travels.
  init?(_ address: NetworkAddress) {
    let bytes = address.bytes
    if bytes.count == 4 {
      self.init(host: bytes.map(String.init).joined(separator: "."), port: address.port)
    } else {
      let groups = stride(from: 0, to: 16, by: 2).map { i in
        String(UInt16(bytes[i]) << 8 | UInt16(bytes[i + 1]), radix: 16)
      }
      self.init(host: groups.joined(separator: ":"), port: address.port)
    }
  }
}

extension NetworkAddress {
  /// An address as it will travel.
  init?(_ address: SocketAddress) { self.init(bytes: address.bytes, port: address.port) }
}
