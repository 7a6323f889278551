internal import Glibc
internal import SecchatArguments
internal import SecchatNet
internal import SecchatRegistry

/// What the command line and the environment ask for.
struct RegistryOptions: Sendable {
  let listen: HostPort
  let folder: String
  let configuration: RegistryConfiguration
  let logLevel: Log.Level
  let json: Bool
  /// Asked for by tests that search a dump for what must not be in it.
  let allowsCoreDumps: Bool

  init(_ arguments: ParsedArguments) throws(Exit) {
    do throws(UsageError) {
      let port = Release.registryPort
      let listen = try arguments.value("listen", as: .hostPort(listening: true, defaultPort: port))
      self.listen = listen ?? HostPort(host: "::", port: port)
      folder = try Self.folder(arguments.value("data"))
      configuration = try Self.configuration(arguments)
      let level = try arguments.value("log-level", as: .choice(Log.Level.allCases.map(\.name)))
      logLevel = level.flatMap(Log.Level.init(name:)) ?? .info
      json = arguments.flag("json")
    } catch { throw Exit(error) }
    allowsCoreDumps = Process.environment("SECCHAT_ALLOW_CORE_DUMPS") == "1"
  }

  private static func folder(_ given: String?) throws(UsageError) -> String {
    if let given {
      guard !given.isEmpty else { throw UsageError("--data is empty", hint: "give it a folder") }
      return given
    }
    if let data = Process.environment("XDG_DATA_HOME"), data.hasPrefix("/") {
      return data + "/secchat-registry"
    }
    if let home = Process.environment("HOME"), home.hasPrefix("/") {
      return home + "/.local/share/secchat-registry"
    }
    throw UsageError("there is no home folder to keep data in", hint: "give --data a folder")
  }

  private static func configuration(_ arguments: ParsedArguments) throws(UsageError) -> RegistryConfiguration
  {
    func number(_ name: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int? {
      try arguments.value(name, as: .integer(in: range))
    }
    var configuration = RegistryConfiguration()
    let day = 86_400
    if let seconds = try number("heartbeat", 1...day) { configuration.heartbeat = seconds * 1_000 }
    if let seconds = try number("life", 1...day) { configuration.life = seconds * 1_000 }
    // One alone moves the other: a client that keeps to the heartbeat must live.
    if configuration.life <= configuration.heartbeat {
      guard arguments.value("heartbeat") == nil || arguments.value("life") == nil else {
        throw UsageError("--life is no longer than --heartbeat", hint: "make it three times as long")
      }
      if arguments.value("life") == nil {
        configuration.life = configuration.heartbeat * 3
      } else {
        configuration.heartbeat = max(1_000, configuration.life / 3)
      }
    }
    let many = 1...1_000_000
    if let count = try number("signup-rate", many) { configuration.signups = Rate(count, per: 3_600_000) }
    if let count = try number("lookup-rate", many) { configuration.lookups = Rate(count, per: 60_000) }
    if let count = try number("handshake-rate", many) { configuration.handshakes = Rate(count, per: 60_000) }
    if let count = try number("max-connections", many) { configuration.connections = count }
    if let count = try number("max-per-address", many) { configuration.connectionsPerAddress = count }
    return configuration
  }

  /// Where to listen; a host name is resolved.
  @LoopActor func address() async throws(RegistryError) -> SocketAddress {
    let host = listen.host.isEmpty ? "::" : listen.host
    if let address = SocketAddress(host: host, port: listen.port) { return address }
    do throws(NetError) {
      let found = try await Resolver.resolve(host: host, port: listen.port, deadline: .now + 10_000)
      if let address = found.first { return address }
    } catch {
      throw .cannotListen(listen.description, reason: error.description)
    }
    throw .cannotListen(listen.description, reason: NetError.unresolvable.description)
  }
}
