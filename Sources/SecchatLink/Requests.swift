package import SecchatCore
package import SecchatNet

/// The open requests of one link, matched to their answers by id.
@LoopActor package final class Requests {
  private var next: UInt32 = 1
  private var open: [UInt32: OneShot<RegistryAnswer>] = [:]
  private let link: SealedLink
  private var ending: NetError?

  package init(on link: SealedLink) { self.link = link }

  /// Sends what `make` builds for a fresh id and waits for its answer.
  ///
  /// - Throws: `.network(.timedOut)` after `patience` milliseconds, or what ended the link.
  package func ask(
    patience: Int, _ make: (UInt32) -> some WireMessage & Numbered
  ) async throws(LinkError) -> RegistryAnswer {
    if let ending { throw .network(ending) }
    let id = next
    next &+= 1
    let slot = OneShot<RegistryAnswer>()
    open[id] = slot
    defer { open[id] = nil }
    link.send(make(id))
    link.flush()
    do throws(NetError) {
      return try await slot.wait(deadline: .now + patience)
    } catch { throw .network(error) }
  }

  /// Hands an answer to whoever asked. An answer that nobody asked for, or no longer waits for, is dropped.
  package func settle(_ answer: RegistryAnswer) {
    guard let id = answer.request else { return }
    open[id]?.fulfil(answer)
  }

  /// Tells all who wait that no answer will come.
  package func end(_ error: NetError) {
    ending = error
    for slot in open.values { slot.fail(error) }
    open = [:]
  }
}
