internal import SecchatCore
internal import SecchatCrypto

/// Prekeys at the registry: one's own, and those of others.
extension RegistryLink {
  /// Brings this device's prekeys and reports used ones; with nothing, asks what is there. New one-time prekeys have
  /// higher ids than all before them since the last `replace`: the registry takes no others.
  ///
  /// - Returns: what the registry then has.
  func publish(
    replace: Bool = false, signed: SignedPrekey? = nil, used: Set<UInt32> = [], keys: [OneTimePrekey] = []
  ) async throws(NodeError) -> Published {
    let answer = try await exchange { request in
      Publish(
        request: request, replace: replace, signed: signed, used: used.sorted(),
        keys: keys.sorted { $0.id < $1.id })
    }
    switch answer {
    case .published(let published): return published
    case .failure(let failure): throw Self.error(failure)
    default: throw Self.outOfPlace
    }
  }

  /// The prekeys of a device as the registry tells them; nil where it has none. What they are worth is for
  /// `PrekeyBundle` to say.
  ///
  /// - Parameter reset: the one-time prekey that was given before and does not work; another is asked for. It never comes
  ///   back from here, whatever the registry says.
  func bundle(
    of name: UserName, device: UInt32, reset: (failed: UInt32, identity: SecretIdentity)? = nil
  ) async throws(NodeError) -> PrekeyOffer? {
    let signed = reset.map { reset in
      Fetch.Reset(
        signing: reset.failed, handshakeHash: handshakeHash,
        account: Account(name: name, registry: registry.key), device: device, with: reset.identity.signing)
    }
    var answer = try await exchange { Fetch(request: $0, name: name, device: device, reset: signed) }
    if signed != nil, case .failure(let failure) = answer, failure.reason == .badRequest {
      // It has forgotten that prekey, as after its owner has replaced them all: there is nothing to reset.
      answer = try await exchange { Fetch(request: $0, name: name, device: device) }
    }
    switch answer {
    case .bundle(let bundle):
      let offer = bundle.offer
      guard let reset, offer.oneTime?.id == reset.failed else { return offer }
      return PrekeyOffer(signed: offer.signed, oneTime: nil)
    case .failure(let failure) where failure.reason == .noPrekeys: return nil
    case .failure(let failure): throw Self.error(failure)
    default: throw Self.outOfPlace
    }
  }
}
