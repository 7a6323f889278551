internal import Glibc

/// The folder with the registry's key and database, held by one process at a time.
package final class DataFolder: Sendable {
  package let path: String
  private let descriptor: Int32

  package var keyPath: String { path + "/registry.key" }
  package var databasePath: String { path + "/registry.db" }

  /// Makes the folder where it is missing, with mode 0700 and those above it, and locks it. One that is there must belong
  /// to this user, and nobody else may write to it. Where it holds nothing else it gets that mode too; what else lies in
  /// one is not for us to hide.
  package init(_ path: String) throws(RegistryError) {
    self.path = path
    try Self.make(path)
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .folderUnusable(path, reason: Self.reason()) }
    self.descriptor = descriptor
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .folderUnusable(path, reason: Self.reason()) }
    try Self.expectOwn(status, path)
    // The lock is on the folder itself: it leaves no file behind, and it ends with the process.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let error = errno
      throw error == EWOULDBLOCK ? .folderInUse(path) : .folderUnusable(path, reason: Self.reason(error))
    }
    Self.restrict(descriptor)
  }

  deinit { close(descriptor) }

  /// Refuses what others could have put here or can change.
  static func expectOwn(_ status: stat, _ path: String) throws(RegistryError) {
    guard status.st_uid == geteuid() else { throw .notOwned(path) }
    guard status.st_mode & 0o022 == 0 else { throw .writableByOthers(path) }
  }

  /// Refuses a database, or what belongs to it, that others could have put here or can change.
  package func checkDatabase() throws(RegistryError) {
    for path in ["", "-wal", "-shm", "-journal"].map({ databasePath + $0 }) {
      var status = stat()
      guard unsafe stat(path, &status) == 0 else {
        if errno == ENOENT { continue }
        throw .storeUnusable(path, reason: Self.reason())
      }
      guard status.st_mode & S_IFMT == S_IFREG else { throw .storeUnusable(path, reason: "it is not a file") }
      try Self.expectOwn(status, path)
    }
  }

  private static func restrict(_ descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o077 != 0,
      holdsOnlyOurs(descriptor)
    else { return }
    fchmod(descriptor, 0o700)
  }

  private static func holdsOnlyOurs(_ descriptor: Int32) -> Bool {
    let copy = unsafe openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0 else { return false }
    guard let folder = unsafe fdopendir(copy) else {
      close(copy)
      return false
    }
    defer { unsafe closedir(folder) }
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != "..", !name.hasPrefix("registry.") { return false }
    }
    return true
  }

  private static func make(_ path: String) throws(RegistryError) {
    if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw .folderUnusable(path, reason: reason())
    }
    try make(String(path[..<slash]))
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw .folderUnusable(path, reason: reason())
    }
  }

  /// Makes a change of the folder's entries survive a power cut.
  func synchronise() { fsync(descriptor) }

  static func reason(_ error: Int32 = errno) -> String {
    switch error {
    case EACCES, EPERM: "permission denied"
    case ENOENT: "it does not exist"
    case ENOTDIR: "it is not a folder"
    case ENOSPC, EDQUOT: "the disk is full"
    case EROFS: "the file system may not be written"
    case ELOOP: "it is a symbolic link"
    case ENAMETOOLONG: "the name is too long"
    default: "the system reported error \(error)"
    }
  }
}
