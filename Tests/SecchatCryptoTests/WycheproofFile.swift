import TestSupport

/// A file of Project Wycheproof, of any of the schemas that the checks know.
struct WycheproofFile: Decodable {
  let algorithm: String?
  let testGroups: [Group]

  struct Group: Decodable {
    let curve: String?
    let tagSize: Int?
    let publicKey: PublicKey?
    let tests: [Case]
  }

  struct PublicKey: Decodable {
    let curve: String?
    let pk: HexBytes
  }

  enum Verdict: String, Decodable {
    case valid, invalid, acceptable
  }

  struct Case: Decodable {
    let tcId: Int
    let flags: [String]?
    let result: Verdict
    let `public`: HexBytes?
    let `private`: HexBytes?
    let shared: HexBytes?
    let key: HexBytes?
    let iv: HexBytes?
    let aad: HexBytes?
    let msg: HexBytes?
    let ct: HexBytes?
    let tag: HexBytes?
    let sig: HexBytes?
    let ikm: HexBytes?
    let salt: HexBytes?
    let info: HexBytes?
    let size: Int?
    let okm: HexBytes?
  }
}
