import Glibc
import SecchatArguments
import SecchatNode

extension Command {
  static let send = Command(
    CommandSpec(
      "send",
      summary: "Send files and folders",
      discussion: """
        The files go straight to the peer, who accepts or refuses them. On a terminal a bar shows how far they are.

        What cannot go now is kept: a running daemon sends it once both are online, and the same command again goes on \
        where it was cut short. `secchat transfers` shows what waits.
        """,
      arguments: [
        .user,
        ArgumentSpec("PATH", help: "a file or a folder", repeating: true, completion: .file),
      ],
      options: [
        .value("limit-rate", "BYTES", help: "at most so many bytes a second, such as 500k or 10M"),
        .flag("checksum", help: "also print the BLAKE2b of each file named, and check all files by it"),
      ],
      examples: [
        ExampleSpec("secchat send bob report.pdf photos/", "A file and a folder."),
        ExampleSpec("secchat send bob backup.tar --limit-rate 1M", "Leaves room on the line."),
      ],
      exitStatuses: [
        ExitStatusSpec(1, "a file is not there, or changed while it was sent"),
        ExitStatusSpec(6, "the peer is offline: the files are kept"),
        ExitStatusSpec(8, "something else arrived than was sent"),
        ExitStatusSpec(9, "the peer refused"),
      ])
  ) { session, arguments async throws(NodeError) in
    let rate = try checked { () throws(UsageError) in try arguments.value("limit-rate", as: .byteRate) }
    var paths: [String] = []
    for path in arguments.arguments("PATH") { paths.append(try sendablePath(path)) }
    return try await session.perform(
      .send(
        user: arguments.argument("USER") ?? "", paths: paths, limitRate: rate.map { UInt64($0) },
        checksum: arguments.flag("checksum")))
  }

  /// The path from the root, of something that is there and may be read.
  private static func sendablePath(_ path: String) throws(NodeError) -> String {
    let absolute = absolutePath(path)
    guard unsafe access(absolute, F_OK) == 0 else {
      throw NodeError(.usage, "there is no file '\(path)'", hint: "nothing was sent")
    }
    guard unsafe access(absolute, R_OK) == 0 else {
      throw NodeError(.usage, "'\(path)' cannot be read", hint: systemMessage(errno))
    }
    // `photos/` and `photos` are one folder; `..` has a name only once it is resolved.
    var trimmed = absolute[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    let last = trimmed.split(separator: "/").last
    guard last == "." || last == ".." else { return String(trimmed) }
    guard let resolved = unsafe realpath(absolute, nil) else {
      throw NodeError(.usage, "'\(path)' cannot be read", hint: systemMessage(errno))
    }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }
}
