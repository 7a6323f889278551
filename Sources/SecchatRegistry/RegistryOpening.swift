package import SecchatNet

extension Registry {
  /// Starts the registry whose key and database lie in `folder`; both are made at the first start.
  package static func open(
    folder: DataFolder, address: SocketAddress, configuration: RegistryConfiguration, log: Log
  ) async throws(RegistryError) -> Registry {
    let keys = try RegistryKeyFile.open(in: folder)
    let path = folder.databasePath
    try folder.checkDatabase()
    let store: SQLiteStore
    do throws(StoreError) {
      // The whole file is read and checked: not on the loop.
      store = try await Loop.offload { () throws(StoreError) in try SQLiteStore(path: path) }
    } catch { throw RegistryError(error, path: path) }
    do throws(NetError) {
      return try Registry(
        address: address, keys: keys, store: store, folder: folder, configuration: configuration, log: log)
    } catch {
      await store.close()
      throw .cannotListen(address.description, reason: error.description)
    }
  }
}
