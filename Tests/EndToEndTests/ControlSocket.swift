import Foundation
import TestSupport

/// A program that asks a profile's daemon as `secchat` does, and may ask for what `secchat` never would.
struct ControlSocket {
  private let path: String

  init(of profile: Profile) { path = profile.home + "/control.sock" }

  /// Sends a message under an id of one's own choice; what the daemon answered.
  func chat(_ user: String, _ id: String, _ text: String, timeout: Double) async throws -> (
    status: UInt8, records: [Record]
  ) {
    let request: JSONValue = .object([
      "chat": [
        "user": .string(user), "id": .string(id), "text": .string(text), "timeout": .number(timeout),
        "wait": "delivered",
      ]
    ])
    let body = try JSONEncoder().encode(request)
    let length = UInt32(body.count + 1)
    let head = Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + [2])
    let answer = try await ask(head + body)
    var (records, rest): ([Record], Data) = ([], answer)
    while rest.count >= 5 {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      let frame = Data(rest.dropFirst(4).prefix(length))
      rest = Data(rest.dropFirst(4 + length))
      if frame.first == 4 { return (frame.last ?? 255, records) }
      if let record = Record(String(decoding: frame.dropFirst(), as: UTF8.self)) { records.append(record) }
    }
    throw TookTooLong("the daemon ended without an answer")
  }

  private func ask(_ bytes: Data) async throws -> Data {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
      for (index, byte) in path.utf8.enumerated() { unsafe place[index] = byte }
    }
    let connected = unsafe withUnsafePointer(to: address) { address in
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard connected == 0 else { throw TookTooLong("no connection to \(path): \(errno)") }
    _ = unsafe bytes.withUnsafeBytes {
      unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    var all = Data()
    var buffer = [UInt8](repeating: 0, count: 4_096)
    try await eventually("the end of the answer") {
      let count = unsafe recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0 { all += buffer[..<count] }
      // The end of a request: five bytes of head and its status.
      return count == 0 || all.count >= 6 && all.suffix(6).prefix(5) == Data([0, 0, 0, 2, 4])
    }
    return all
  }
}
