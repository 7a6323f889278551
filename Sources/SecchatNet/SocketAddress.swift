import CSystem
import CUV
import Glibc

/// An IPv4 or IPv6 address with a port. IPv4 addresses mapped into IPv6 are IPv4 addresses here.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  package let isIPv6: Bool
  package let port: UInt16
  /// The address as a number, the high and the low half; an IPv4 address sits in `low`.
  private let high: UInt64
  private let low: UInt64
  /// The interface of a link-local address.
  private let scope: UInt32

  private init(high: UInt64, low: UInt64, isIPv6: Bool, port: UInt16, scope: UInt32 = 0) {
    let mapped = isIPv6 && high == 0 && low >> 32 == 0xffff
    self.isIPv6 = isIPv6 && !mapped
    self.high = high
    self.low = mapped ? low & 0xffff_ffff : low
    self.port = port
    self.scope = scope
  }

  /// From a numeric host (`192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`); nil for anything else.
  package init?(host: String, port: UInt16) {
    guard host.utf8.count <= 64, !host.utf8.contains(0) else { return nil }
    var v4 = sockaddr_in()
    if unsafe uv_ip4_addr(host, Int32(port), &v4) == 0 {
      self.init(
        high: 0, low: UInt64(UInt32(bigEndian: v4.sin_addr.s_addr)), isIPv6: false, port: port)
      return
    }
    var v6 = sockaddr_in6()
    guard unsafe uv_ip6_addr(host, Int32(port), &v6) == 0 else { return nil }
    self.init(v6)
  }

  /// From `HOST:PORT` or `[v6]:PORT`, with a numeric host.
  package init?(_ text: String) {
    guard let (host, port) = SocketAddress.split(text) else { return nil }
    self.init(host: host, port: port)
  }

  /// The host and port of `HOST:PORT` or `[v6]:PORT`; the host need not be numeric. Port 0 is allowed.
  package static func split(_ text: String) -> (host: String, port: UInt16)? {
    guard text.utf8.count <= Limits.hostNameLength + 8, let colon = text.lastIndex(of: ":") else {
      return nil
    }
    let digits = text[text.index(after: colon)...]
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let port = UInt16(digits)
    else { return nil }
    var host = text[..<colon]
    if host.first == "[" {
      guard host.last == "]" else { return nil }
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    return host.isEmpty ? nil : (String(host), port)
  }

  /// The numeric host, without brackets.
  package var host: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      guard let base = buffer.baseAddress else { return "" }
      if isIPv6 {
        var address = v6
        guard unsafe uv_ip6_name(&address, base, buffer.count) == 0 else { return "" }
      } else {
        var address = v4
        guard unsafe uv_ip4_name(&address, base, buffer.count) == 0 else { return "" }
      }
      let text = unsafe String(cString: base)
      guard scope != 0 else { return text }
      var length = buffer.count
      guard unsafe uv_if_indextoname(scope, base, &length) == 0 else { return text }
      return unsafe text + "%" + String(cString: base)
    }
  }

  /// `HOST:PORT`, an IPv6 host in brackets; `init(_:)` reads it back.
  package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The same host at another port.
  package func with(port: UInt16) -> SocketAddress {
    SocketAddress(high: high, low: low, isIPv6: isIPv6, port: port, scope: scope)
  }

  /// Whether it names no host (`0.0.0.0` or `::`).
  package var isUnspecified: Bool { high == 0 && low == 0 }

  /// Whether it stays on this machine.
  package var isLoopback: Bool { isIPv6 ? high == 0 && low == 1 : low >> 24 == 127 }

  /// The address in network order: 4 bytes or 16.
  package var bytes: [UInt8] {
    func split(_ number: UInt64, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * (count - 1 - $0))) }
    }
    return isIPv6 ? split(high, 8) + split(low, 8) : split(low, 4)
  }

  /// Whether it means something on one network segment only (RFC 3927, RFC 4291 section 2.5.6).
  package var isLinkLocal: Bool { isIPv6 ? high >> 54 == 0x3fa : low >> 16 == 0xa9fe }

  /// What limits per peer are counted by: the IPv4 address, or the /64 that one IPv6 subscriber has.
  package var rateKey: RateKey { RateKey(isIPv6: isIPv6, number: isIPv6 ? high : low) }

  package struct RateKey: Hashable, Sendable {
    let isIPv6: Bool
    /// All of an IPv4 address, or the first 64 bits of an IPv6 address.
    let number: UInt64
  }
}

extension SocketAddress {
  private var v4: sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
    return address
  }

  private var v6: sockaddr_in6 {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    address.sin6_scope_id = scope
    unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
      unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
      unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return address
  }

  private init(_ address: sockaddr_in6) {
    let (high, low) = unsafe withUnsafeBytes(of: address.sin6_addr) { bytes in
      unsafe (
        UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
    self.init(
      high: high, low: low, isIPv6: true, port: UInt16(bigEndian: address.sin6_port),
      scope: address.sin6_scope_id)
  }

  /// From the system's form; nil for a family that is neither IPv4 nor IPv6.
  @unsafe init?(_ address: UnsafePointer<sockaddr>) {
    switch unsafe Int32(address.pointee.sa_family) {
    case AF_INET:
      let v4 = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
      self.init(
        high: 0, low: UInt64(UInt32(bigEndian: v4.sin_addr.s_addr)), isIPv6: false,
        port: UInt16(bigEndian: v4.sin_port))
    case AF_INET6:
      let v6 = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
      self.init(v6)
    default:
      return nil
    }
  }

  func withSystemAddress<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    func call<A>(_ address: A) -> R {
      unsafe withUnsafeBytes(of: address) { bytes in
        unsafe withUnsafeTemporaryAllocation(of: sockaddr_storage.self, capacity: 1) { storage in
          let raw = UnsafeMutableRawBufferPointer(storage)
          unsafe raw.copyMemory(from: bytes)
          let base = unsafe UnsafeRawPointer(storage.baseAddress.unsafelyUnwrapped)
          return unsafe body(base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
      }
    }
    return isIPv6 ? call(v6) : call(v4)
  }
}
