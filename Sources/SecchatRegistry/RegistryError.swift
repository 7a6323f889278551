/// Why a registry could not start. Each says in a line what is wrong and what to do.
package enum RegistryError: Error, Equatable, Sendable, CustomStringConvertible {
  case folderUnusable(String, reason: String)
  case folderInUse(String)
  /// A folder or file that belongs to another user …
  case notOwned(String)
  /// … or that another user may write.
  case writableByOthers(String)
  case keyUnusable(String, reason: String)
  case keyExposed(String)
  case keyDamaged(String)
  case storeDamaged(String)
  case storeNewer(String)
  case storeForeign(String)
  case storeUnusable(String, reason: String)
  case cannotListen(String, reason: String)

  package var description: String {
    switch self {
    case .folderUnusable(let path, let reason):
      "the data folder \(path) cannot be used: \(reason); give --data a folder that this user may write"
    case .folderInUse(let path):
      "the data folder \(path) is in use by another secchat-registry; stop that one or give --data another folder"
    case .notOwned(let path):
      "\(path) belongs to another user, who could change it; run as that user or give --data another folder"
    case .writableByOthers(let path):
      "other users may write to \(path); if nobody has changed it, run: chmod go-w \(path)"
    case .keyUnusable(let path, let reason):
      "the key file \(path) cannot be used: \(reason)"
    case .keyExposed(let path):
      "the key file \(path) is open to other users; if nobody has read it, run: chmod 600 \(path)"
    case .keyDamaged(let path):
      "the key file \(path) is damaged; put back a copy of it, since a new key is a new registry to every client"
    case .storeDamaged(let path):
      "the database \(path) is damaged; put back a copy of it"
    case .storeNewer(let path):
      "the database \(path) was written by a newer secchat-registry; install that version"
    case .storeForeign(let path):
      "\(path) is not a database of secchat-registry; give --data another folder"
    case .storeUnusable(let path, let reason):
      "the database \(path) cannot be used: \(reason)"
    case .cannotListen(let address, let reason):
      "cannot listen on \(address): \(reason); give --listen another address or port"
    }
  }

  /// Whether a file is not what it was: nothing that the user asked for is wrong.
  package var isIntegrityFailure: Bool {
    switch self {
    case .keyDamaged, .storeDamaged, .storeNewer: true
    default: false
    }
  }

  init(_ error: StoreError, path: String) {
    self =
      switch error {
      case .damaged: .storeDamaged(path)
      case .newer: .storeNewer(path)
      case .foreign: .storeForeign(path)
      case .full: .storeUnusable(path, reason: "the disk is full")
      case .unavailable(let reason): .storeUnusable(path, reason: reason)
      }
  }
}
