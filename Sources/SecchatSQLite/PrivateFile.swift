internal import Glibc

/// The database's file, readable by its owner alone. SQLite gives `-wal` and `-shm` the mode of the file itself.
enum PrivateFile {
  /// Makes the file, so that it has its mode from the first moment; an existing one is restricted.
  static func create(_ path: String) throws(SQLiteError) {
    let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    if descriptor >= 0 {
      close(descriptor)
      return
    }
    guard errno == EEXIST else { throw errno == ENOSPC || errno == EDQUOT ? .full : .cannotOpen }
    // By path: closing a descriptor of the file would drop the locks that this process holds on it.
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw .cannotOpen }
    if status.st_mode & 0o077 != 0, unsafe chmod(path, 0o600) != 0 { throw .cannotOpen }
  }
}
