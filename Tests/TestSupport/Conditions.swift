// Building only the programs builds this target too, and with the static standard library there is no Testing.
#if canImport(Testing)
  internal import Foundation
  internal import Glibc
  package import Testing

  extension Trait where Self == ConditionTrait {
    /// For tests that take long: they run under `scripts/test --full`.
    package static var long: Self {
      .enabled("it takes long: scripts/test --full runs it") { isFull }
    }

    /// For tests that look into the memory of programs: with the thread sanitizer's shadow it is too large to be searched.
    package static var readsMemory: Self {
      .disabled(
        if: unsafe dlsym(nil, "__tsan_init") != nil, "the thread sanitizer's memory is too large to search")
    }

    /// For tests that only root can do. Under `scripts/test --full` not to be root is a failure.
    package static var needsRoot: Self {
      .enabled("only root can do it") {
        guard geteuid() != 0, isFull else { return geteuid() == 0 }
        throw NotRoot()
      }
    }
  }

  extension Trait where Self == ConditionTrait {
    /// For tests that make computers of their own out of network namespaces. Under `scripts/test --full` it is a failure
    /// where that is not possible.
    package static var needsNamespaces: Self {
      .enabled("root and the program ip can do it, where the system allows") {
        if geteuid() == 0, canMakeNamespaces { return true }
        guard isFull else { return false }
        throw NoNamespaces()
      }
    }
  }

  /// Asked once.
  private let canMakeNamespaces: Bool = {
    let name = "secchat-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    for words in [["add", name], ["exec", name, "true"], ["delete", name]] {
      let ip = Process()
      ip.executableURL = URL(filePath: "/usr/bin/env")
      ip.arguments = ["ip", "netns"] + words
      ip.standardError = FileHandle.nullDevice
      guard (try? ip.run()) != nil else { return false }
      ip.waitUntilExit()
      if ip.terminationStatus != 0 { return false }
    }
    return true
  }()

  private struct NoNamespaces: Error, CustomStringConvertible {
    let description = "scripts/test --full needs root, iproute2 and a system that allows network namespaces"
  }

  /// Whether the tests were built with a sanitizer.
  package var isSanitized: Bool {
    unsafe dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
  }

  /// Whether everything must be tried.
  private var isFull: Bool { ProcessInfo.processInfo.environment["SECCHAT_FULL"] == "1" }

  private struct NotRoot: Error, CustomStringConvertible {
    let description = "scripts/test --full must be run as root: this test cannot be left out"
  }
#endif
