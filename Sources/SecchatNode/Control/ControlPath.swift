internal import Glibc
internal import SecchatCrypto

/// Where a profile's control socket lies: in the profile, or, where that path is too long for a Unix socket, in the
/// user's run-time folder.
enum ControlPath {
  /// `sun_path` less its final zero.
  private static let longest = 107

  static func path(for folder: ProfileFolder) throws(NodeError) -> String {
    let plain = folder.path + "/control.sock"
    guard plain.utf8.count > longest else { return plain }
    let bytes = Array(plain.utf8)
    let name = BLAKE2b.hash256(bytes.raw)
    let place = try runtimeFolder()
    return place + "/secchat-" + Hex.encode(Array(name.array[..<12])) + ".sock"
  }

  private static func runtimeFolder() throws(NodeError) -> String {
    if let text = unsafe getenv("XDG_RUNTIME_DIR") {
      let path = unsafe String(cString: text)
      if path.hasPrefix("/"), isPrivate(path) { return path }
    }
    let path = "/tmp/secchat-\(geteuid())"
    _ = unsafe mkdir(path, 0o700)
    guard isPrivate(path) else {
      throw NodeError(
        .usage, "there is no private folder for the control socket",
        hint: "set XDG_RUNTIME_DIR, or use a shorter --home")
    }
    return path
  }

  private static func isPrivate(_ path: String) -> Bool {
    var info = stat()
    return unsafe lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR && info.st_uid == geteuid()
      && info.st_mode & 0o077 == 0
  }
}
