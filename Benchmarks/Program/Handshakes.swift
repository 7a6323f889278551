import SecchatCore
import SecchatCrypto

/// Whole XK handshakes a second, both sides on one core, beside what the X25519 operations in them take by themselves.
func handshakes(seconds: Double) throws {
  let initiator = try LinkKeyPair.random()
  let responder = try LinkKeyPair.random()
  let prologue = Prologue.registry
  report(
    "xk_handshakes", try rate(seconds: seconds) { try handshake(initiator, responder, prologue) }, "ops/s")

  let keys = try Keys()
  // es, ee and se on either side; each side makes one ephemeral key.
  let limit = try rate(seconds: seconds) {
    for _ in 0..<6 { try keys.agree() }
    for _ in 0..<2 { try keys.generate() }
  }
  report("xk_x25519_alone", limit, "ops/s")
}

private func handshake(_ initiator: LinkKeyPair, _ responder: LinkKeyPair, _ prologue: [UInt8]) throws {
  let alice = try HandshakeState<SHA256>.initiator(
    pattern: .XK, prologue: prologue, static: initiator, remoteStatic: responder.publicKey)
  let bob = try HandshakeState<SHA256>.responder(pattern: .XK, prologue: prologue, static: responder)
  guard case .next(let alice1, let first) = alice.write(payload: RawSpan()) else { throw failed }
  guard case .next(let bob1, _) = bob.read(message: first.raw) else { throw failed }
  guard case .next(let bob2, let second) = bob1.write(payload: RawSpan()) else { throw failed }
  guard case .next(let alice2, _) = alice1.read(message: second.raw) else { throw failed }
  guard case .finished(_, let third) = alice2.write(payload: RawSpan()) else { throw failed }
  guard case .finished = bob2.read(message: third.raw) else { throw failed }
}

private let failed = Trouble("the handshake failed")
