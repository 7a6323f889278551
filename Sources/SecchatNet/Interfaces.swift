import CUV
import Glibc

/// This machine's addresses, those that others can reach first; port 0.
package func interfaceAddresses() -> [SocketAddress] {
  var list: UnsafeMutablePointer<uv_interface_address_t>?
  var count: Int32 = 0
  guard unsafe uv_interface_addresses(&list, &count) == 0, let interfaces = unsafe list else { return [] }
  defer { unsafe uv_free_interface_addresses(interfaces, count) }
  var external: [SocketAddress] = []
  var loopback: [SocketAddress] = []
  for index in 0..<Int(count) {
    let found = unsafe withUnsafeBytes(of: &interfaces[index].address) { bytes in
      unsafe bytes.baseAddress.flatMap { unsafe SocketAddress($0.assumingMemoryBound(to: sockaddr.self)) }
    }
    guard let found else { continue }
    if unsafe interfaces[index].is_internal != 0 { loopback.append(found) } else { external.append(found) }
  }
  return external + loopback
}
