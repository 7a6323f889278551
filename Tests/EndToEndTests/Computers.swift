import Foundation
import SecchatCrypto
import TestSupport
import Testing

/// Computers on a network of their own: a network namespace each, and another with the switch that their cables lead to.
/// The machine's own network is not touched, and all of it goes with its owner.
final class Network: Sendable {
  private let mark = "secchat-" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
  private let names = Lock<[String]>([])

  /// The namespace of the switch.
  fileprivate var center: String { mark + "-switch" }

  init() throws {
    try add(center)
    // Without snooping: a switch that has just been made forwards what asks for neighbours at once.
    try ip("-n", center, "link", "add", "bridge", "type", "bridge", "mcast_snooping", "0")
    try ip("-n", center, "link", "set", "bridge", "up")
  }

  deinit {
    for name in names.withLock({ $0 }) { try? ip("netns", "delete", name) }
  }

  /// A computer with one address, given as `ADDRESS/PREFIX`.
  func computer(_ name: String, _ address: String) throws -> Computer {
    let space = mark + "-" + name
    try add(space)
    try ip("-n", space, "link", "set", "lo", "up")
    try ip("-n", center, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", space)
    try ip("-n", center, "link", "set", name, "master", "bridge", "up")
    let computer = Computer(self, name: name, space: space, address: address)
    try computer.add(address)
    try ip("-n", space, "link", "set", "eth0", "up")
    return computer
  }

  private func add(_ space: String) throws {
    try ip("netns", "add", space)
    names.withLock { $0.append(space) }
  }
}

/// A computer on a `Network`.
struct Computer: Sendable {
  private let network: Network
  private let name: String
  private let space: String
  /// With its prefix.
  private let address: String

  fileprivate init(_ network: Network, name: String, space: String, address: String) {
    (self.network, self.name, self.space, self.address) = (network, name, space, address)
  }

  /// Its first address, as it is written before a port.
  var host: String { Self.host(address) }

  /// An address as it is written before a port.
  static func host(_ address: String) -> String {
    let bare = String(address.split(separator: "/")[0])
    return bare.contains(":") ? "[\(bare)]" : bare
  }

  /// Starts a program of the package on it.
  func start(_ program: String, _ arguments: [String], input: String? = "") throws -> Program {
    // `env` and `ip` become the program: signals sent to the process reach it.
    try Program(
      "/usr/bin/env", ["ip", "netns", "exec", space, Program.path(program)] + arguments, input: input)
  }

  /// Pulls its cable out of the switch, or puts it back: the computer's own side stays up.
  func plug(_ isIn: Bool) throws {
    try ip("-n", network.center, "link", "set", name, isIn ? "up" : "down")
  }

  /// Gives it another address in place of one.
  func move(from old: String, to new: String) throws {
    // In this order: with an address of IPv4 go those that were added after it.
    try ip("-n", space, "address", "delete", old, "dev", "eth0")
    try add(new)
  }

  fileprivate func add(_ address: String) throws {
    // An address of IPv6 is otherwise tried out for a second before it may be used.
    let plain = address.contains(":") ? ["nodad"] : []
    try ip(["-n", space, "address", "add", address, "dev", "eth0"] + plain)
  }
}

/// Runs iproute2's program.
private func ip(_ words: String...) throws { try ip(words) }

private func ip(_ words: [String]) throws {
  let process = Process()
  let errors = Pipe()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = ["ip"] + words
  process.standardError = errors
  try process.run()
  let said = try errors.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw TookTooLong("ip \(words.joined(separator: " ")): \(String(decoding: said, as: UTF8.self))")
  }
}
