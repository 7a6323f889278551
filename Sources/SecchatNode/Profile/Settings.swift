/// What a profile remembers besides its contacts. Sealed in its database.
struct Settings: Codable, Equatable, Sendable {
  /// The account, once there is one.
  var account: Registration?
  /// Registries met, by `HOST:PORT`: the text of the key that was confirmed.
  var registries: [String: String] = [:]
  var isLoggedOut = false
  var listen: String?
  var files: FilePolicy = .ask
  var downloads: String?
  var strangers: StrangerPolicy = .accept
  /// Whether senders are told that their messages were read; nil, as from before there was the choice, is yes.
  var receipts: Bool?
  var visibility: Visibility = .everyone

  struct Registration: Codable, Equatable, Sendable {
    var name: String
    var host: String
    var port: UInt16
    /// Our own signed device list.
    var list: [UInt8]
  }
}
