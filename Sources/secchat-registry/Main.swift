internal import CSystem
internal import Glibc
internal import SecchatArguments
internal import SecchatCore
internal import SecchatNet
internal import SecchatRegistry

@main
struct Main {
  static func main() async {
    umask(0o077)
    do throws(Exit) {
      switch try invocation() {
      case .help: Output.print(RegistryProgram.specification.helpText())
      case .version: Output.print("secchat-registry \(RegistryProgram.specification.version)\n")
      case .run(let arguments): try await serve(RegistryOptions(arguments))
      }
    } catch {
      Output.complain(error.message)
      _exit(error.status)
    }
    // Not `exit`: it would take libuv apart under its running loop. All output has been written.
    _exit(0)
  }

  private static func invocation() throws(Exit) -> Invocation {
    do throws(UsageError) {
      return try RegistryProgram.specification.parse(Array(CommandLine.arguments.dropFirst()))
    } catch { throw Exit(error) }
  }

  /// Serves until SIGTERM or SIGINT.
  @LoopActor private static func serve(_ options: RegistryOptions) async throws(Exit) {
    // A dump would hold the registry's key.
    if !options.allowsCoreDumps { secchat_forbid_core_dumps() }
    let signals = Loop.signals(SIGTERM, SIGINT)
    let log = Log(level: options.logLevel)
    var configuration = options.configuration
    let descriptors = Process.raiseDescriptorLimit()
    if configuration.connections > descriptors {
      configuration.connections = max(1, descriptors)
      log.info("the system's limit on open files allows \(configuration.connections) connections")
    }

    let registry: Registry
    do throws(RegistryError) {
      let folder = try DataFolder(options.folder)
      registry = try await Registry.open(
        folder: folder, address: try await options.address(), configuration: configuration, log: log)
    } catch { throw Exit(error) }
    Output.print(Greeting(registry, listening: options.listen).text(json: options.json))
    log.info("serving")
    for await _ in signals { break }
    log.info("stopping")
    await registry.stop()
  }
}
