internal import Glibc

/// The folder that holds one identity and its account: nobody but its owner may look into it.
struct ProfileFolder: Sendable {
  let path: String

  var keyPath: String { path + "/identity.key" }
  var databasePath: String { path + "/profile.db" }
  var lockPath: String { path + "/lock" }
  var downloadsPath: String { path + "/downloads" }

  /// The folder, made where it is missing.
  static func create(_ path: String) throws(NodeError) -> ProfileFolder {
    var missing: [String] = []
    var parent = path
    while unsafe access(parent, F_OK) != 0, let slash = parent.lastIndex(of: "/"), slash > parent.startIndex {
      missing.append(parent)
      parent = String(parent[..<slash])
    }
    for folder in missing.reversed() where unsafe mkdir(folder, 0o700) != 0 && errno != EEXIST {
      throw NodeError(
        .usage, "the profile folder \(path) cannot be made: \(Self.reason(errno))",
        hint: "choose another with --home")
    }
    return try ProfileFolder(existing: path)
  }

  /// The folder, which must be there, be the caller's, closed to others and writable.
  init(existing path: String) throws(NodeError) {
    self.path = path
    var info = stat()
    guard unsafe stat(path, &info) == 0 else {
      throw NodeError(.usage, "there is no profile at \(path)", hint: "make one with `secchat keygen`")
    }
    guard info.st_mode & S_IFMT == S_IFDIR else {
      throw NodeError(.usage, "\(path) is not a folder", hint: "choose a folder with --home")
    }
    guard info.st_uid == geteuid() else {
      throw NodeError(
        .usage, "the profile folder \(path) belongs to another user", hint: "choose another with --home")
    }
    guard info.st_mode & 0o077 == 0 else {
      throw NodeError(
        .usage, "the profile folder \(path) is open to other users",
        hint: "close it with `chmod 700 \(path)`")
    }
    guard unsafe access(path, W_OK) == 0 else {
      throw NodeError(
        .usage, "the profile folder \(path) cannot be written: \(Self.reason(errno))",
        hint: "make it writable, or choose another with --home")
    }
  }

  /// What the system says of an error number.
  static func reason(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text).lowercased()
  }
}
