package import SecchatCrypto

/// Every label of the project: one for each use of a hash or a signature, none twice (`docs/protocol.md`, section 3).
package enum Labels {
  // Signatures.
  package static let deviceList = SignatureLabel("secchat device list v1")
  package static let continuity = SignatureLabel("secchat device list continuity v1")
  package static let register = SignatureLabel("secchat register v1")
  package static let signedPrekey = SignatureLabel("secchat signed prekey v1")
  package static let prekeyReset = SignatureLabel("secchat prekey reset v1")

  // Hashes.
  package static let identityFingerprint: StaticString = "secchat identity fingerprint v1"
  package static let registryFingerprint: StaticString = "secchat registry fingerprint v1"
  package static let safetyNumber: StaticString = "secchat safety number v1"
  package static let keyText: StaticString = "secchat key text v1"
  package static let keyFile: StaticString = "secchat key file v1"
  package static let heldItem: StaticString = "secchat held item v1"
  package static let profileRow: StaticString = "secchat profile row v1"
  package static let ratchetSession: StaticString = "secchat ratchet session v1"
  package static let messageChain: StaticString = "secchat message chain v1"
  package static let transferJournal: StaticString = "secchat transfer journal v1"
  package static let registryKeyFile: StaticString = "secchat registry key file v1"

  // Key derivations: `info` of HKDF.
  package static let x3dh: StaticString = "secchat x3dh v1"
  package static let ratchetRoot: StaticString = "secchat ratchet root v1"

  /// The label's bytes and a zero byte, which no label contains.
  package static func prefix(_ label: StaticString) -> [UInt8] {
    label.withUTF8Buffer { unsafe [UInt8]($0) } + [0]
  }
}
