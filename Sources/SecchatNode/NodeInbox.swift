internal import SecchatCore
internal import SecchatCrypto
internal import SecchatLink
internal import SecchatNet

/// An offer that waits for the user.
@LoopActor struct PendingOffer {
  let from: Account
  let answer = OneShot<Bool>()
}

/// What sessions tell the node.
extension Node: PeerSessionOwner {
  /// Pins whom the session is with, if that has not been done: false where it cannot be.
  private func isKnown(_ session: PeerSession) async -> Bool {
    do throws(NodeError) { return !(try await settled(session).link.isClosed) } catch { return false }
  }

  func received(_ offer: Offer, in session: PeerSession) async -> Result<String, OfferRefusal> {
    guard stays else { return .failure(OfferRefusal(reason: .declined)) }
    if let answer = await known(offer, in: session) { return answer }
    let answer = await judged(offer, in: session)
    return await remembered(offer, in: session, answer)
  }

  /// What the rule, or the user, says to an offer that was not made before.
  private func judged(_ offer: Offer, in session: PeerSession) async -> Result<String, OfferRefusal> {
    let downloads = downloads
    switch settings.files {
    case .always:
      return await isKnown(session) ? .success(downloads) : .failure(OfferRefusal(reason: .declined))
    case .never: return .failure(OfferRefusal(reason: .declined))
    case .ask:
      let id = Hex.encode(offer.id.array)
      guard pendingOffers[id] == nil, pendingOffers.count < Self.offersAtOnce,
        pendingOffers.values.count(where: { $0.from == session.peer }) < Self.offersOfOne
      else { return .failure(OfferRefusal(reason: .busy)) }
      // An id stays that of the offer first made with it: the user may be typing it to accept that one.
      let isNew = offersSeen.insert(offer.id, from: session.peer)
      guard transfers.mayAsk(offer, key(offer, session), isNew: isNew) else {
        return .failure(OfferRefusal(reason: .declined))
      }
      let pending = PendingOffer(from: session.peer)
      pendingOffers[id] = pending
      defer { pendingOffers[id] = nil }
      event(
        .offered(
          .init(id: id, from: session.name.text, name: offer.name, items: offer.items, bytes: offer.bytes)))
      guard let accepted = try? await pending.answer.wait(deadline: .now + Self.answerTime) else {
        return .failure(OfferRefusal(reason: .unanswered))
      }
      guard accepted, await isKnown(session) else { return .failure(OfferRefusal(reason: .declined)) }
      return .success(downloads)
    }
  }

  func withdrawn(_ offer: MessageID) { pendingOffers[Hex.encode(offer.array)]?.answer.fulfil(false) }

  /// Offers that may wait for the user, from all peers.
  private static let offersAtOnce = 256
  /// Of these, from one peer, whatever the number of its links.
  private static let offersOfOne = 16

  /// How long the user has to answer an offer (milliseconds).
  private static let answerTime = 120_000

  func ended(_ session: PeerSession) { sessions.remove(session) }
}
