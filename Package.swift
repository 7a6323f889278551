// swift-tools-version: 6.2
import PackageDescription

// One settings array for every target of ours: what one file may not do, no file may do.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

func system(_ name: String, pkgConfig: String?, apt: [String]) -> Target {
  .systemLibrary(
    name: name, pkgConfig: pkgConfig, providers: apt.isEmpty ? nil : [.apt(apt)])
}

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

let package = Package(
  name: "secchat",
  products: [
    .executable(name: "secchat", targets: ["secchat"]),
    .executable(name: "secchat-registry", targets: ["secchat-registry"]),
    .library(name: "SecchatNode", targets: ["SecchatNode"]),
  ],
  // Bottom-up: a target may depend only on targets above it in this list.
  targets: [
    system("CSodium", pkgConfig: "libsodium", apt: ["libsodium-dev"]),
    system("CUV", pkgConfig: "libuv", apt: ["libuv1-dev"]),
    system("CSQLite", pkgConfig: "sqlite3", apt: ["libsqlite3-dev"]),
    system("CEdit", pkgConfig: "libedit", apt: ["libedit-dev"]),
    system("CQREncode", pkgConfig: "libqrencode", apt: ["libqrencode-dev"]),
    system("CUTF8Proc", pkgConfig: nil, apt: ["libutf8proc-dev"]),
    system("CSystem", pkgConfig: nil, apt: []),

    library("SecchatCrypto", ["CSodium"]),
    library("SecchatCore", ["SecchatCrypto"]),
    library("SecchatNet", ["CUV", "CSystem"]),
    library("SecchatLink", ["SecchatCore", "SecchatNet"]),
    library("SecchatSQLite", ["CSQLite"]),
    library("SecchatRegistry", ["SecchatLink", "SecchatSQLite"]),
    library("SecchatText", ["CUTF8Proc"]),
    library("SecchatNode", ["SecchatLink", "SecchatSQLite", "SecchatText", "CSystem"]),

    // What the programs are made of besides the node and the registry.
    library("SecchatArguments", []),
    library("SecchatTerminal", ["CEdit", "CQREncode", "SecchatText"]),
    program("secchat", ["SecchatNode", "SecchatArguments", "SecchatTerminal", "CSystem"]),
    program("secchat-registry", ["SecchatRegistry", "SecchatArguments", "CSystem"]),

    // Measures; `scripts/bench` runs it.
    .executableTarget(
      name: "secchat-bench",
      dependencies: [
        "SecchatNode", "SecchatRegistry", "SecchatLink", "SecchatCore", "SecchatCrypto", "SecchatNet",
      ],
      path: "Benchmarks/Program", swiftSettings: settings),

    // What the tests share: vectors, temporary folders, programs started and stopped.
    .target(
      name: "TestSupport", dependencies: ["SecchatCrypto"], path: "Tests/TestSupport",
      swiftSettings: settings),
    .target(
      name: "FuzzTargets",
      dependencies: ["SecchatCore", "SecchatNode", "SecchatArguments", "SecchatTerminal"],
      path: "Fuzz/Targets", swiftSettings: settings),
    tests("SecchatCryptoTests", ["SecchatCrypto", "TestSupport"]),
    tests("SecchatCoreTests", ["SecchatCore", "TestSupport"], exclude: ["Fixtures"]),
    tests("SecchatNetTests", ["SecchatNet", "TestSupport"]),
    tests("SecchatLinkTests", ["SecchatLink", "TestSupport"]),
    tests("SecchatSQLiteTests", ["SecchatSQLite", "TestSupport"]),
    tests("SecchatTextTests", ["SecchatText"]),
    tests("SecchatRegistryTests", ["SecchatRegistry", "TestSupport"]),
    tests("SecchatNodeTests", ["SecchatNode", "TestSupport"]),
    tests("SecchatArgumentsTests", ["SecchatArguments", "TestSupport"]),
    tests("SecchatTerminalTests", ["SecchatTerminal", "TestSupport"]),
    tests("SecchatProgramTests", ["secchat", "TestSupport"]),
    tests("FuzzTests", ["FuzzTargets", "SecchatNode", "TestSupport"]),
    tests("LayerTests", ["SecchatCore", "TestSupport"]),
    tests("InteropTests", ["SecchatCore", "SecchatLink", "TestSupport"], exclude: ["peers"]),
    tests("EndToEndTests", ["secchat", "secchat-registry", "SecchatCore", "SecchatSQLite", "TestSupport"]),
  ]
)

// libFuzzer wants its own flags on everything that it looks into: `scripts/fuzz` sets this and builds on the side.
if Context.environment["SECCHAT_FUZZ"] == "1" {
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["FuzzTargets"], path: "Fuzz/Driver", swiftSettings: settings,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
  for target in package.targets where target.type != .system {
    target.swiftSettings?.append(.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"]))
  }
}
