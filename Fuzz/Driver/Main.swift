import FuzzTargets
import Glibc

/// `fuzz --list`, `fuzz NAME --seeds FOLDER`, or `fuzz NAME` and libFuzzer's own arguments.

/// The target under test: libFuzzer's callback takes no context.
nonisolated(unsafe) private var chosen: FuzzTarget?

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Names the target where libFuzzer starts this program itself, as it does to merge: with its own arguments alone.
private let inheritedName = "SECCHAT_FUZZ_TARGET"

/// The name that SwiftPM gives the entry point of this module.
@_cdecl("fuzz_main")
func start(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
  let words = CommandLine.arguments
  if words.count == 2, words[1] == "--list" {
    for target in FuzzTarget.all { print(target.name) }
    return 0
  }
  if let name = unsafe getenv(inheritedName), let target = FuzzTarget.named(unsafe String(cString: name)) {
    unsafe chosen = target
    var (count, vector) = unsafe (count, arguments)
    return unsafe runDriver(&count, &vector, testOneInput)
  }
  guard words.count > 1, let target = FuzzTarget.named(words[1]) else {
    complain("usage: fuzz NAME [libFuzzer's arguments]; fuzz --list names the targets")
    return 1
  }
  if words.count == 4, words[2] == "--seeds" { return save(target.seeds, to: words[3]) }

  unsafe chosen = target
  unsafe setenv(inheritedName, target.name, 1)
  // libFuzzer sees its own arguments: the name is ours.
  unsafe arguments[1] = arguments[0]
  var rest = count - 1
  var vector = unsafe arguments + 1
  return unsafe runDriver(&rest, &vector, testOneInput)
}

/// The name that libFuzzer's own, unused `main` wants.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> Int32 {
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
  if case .broken(let what) = unsafe chosen?.run(input) {
    complain("broken: \(what)")
    abort()
  }
  return 0
}

private func save(_ seeds: [[UInt8]], to folder: String) -> Int32 {
  for (number, seed) in seeds.enumerated() {
    guard let file = unsafe fopen("\(folder)/seed-\(number)", "w") else { return 1 }
    unsafe fwrite(seed, 1, seed.count, file)
    unsafe fclose(file)
  }
  return 0
}

private func complain(_ line: String) {
  let bytes = Array((line + "\n").utf8)
  _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
}
