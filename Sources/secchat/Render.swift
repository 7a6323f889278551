import SecchatNode
import SecchatTerminal

/// Every event as a person reads it. Whatever came from elsewhere goes through `SafeText`.
struct Render: Sendable {
  /// In the shell commands have no program before them, and neither have errors.
  var inShell = false
  var now: @Sendable () -> Int64 = wallTime
  /// Of the terminal; nil where there is none, and lines stay whole.
  var columns: @Sendable () -> Int? = { nil }

  /// Nil where there is nothing to say.
  func text(_ event: Event) -> SafeText? {
    switch event {
    case .identity(let identity):
      rows([("key", "\(identity.key)"), ("fingerprint", "\(identity.fingerprint)")])
    case .registered(let registered): text(registered)
    case .online(let online): text(online)
    case .offline(let offline):
      offline.retrying
        ? "\("offline", .warning): the registry does not answer; trying to come back"
        : "\("offline", .warning)"
    case .peer(let peer): text(peer)
    case .sent(let sent): text(sent)
    case .message(let message): text(message)
    case .offer(let transfer): text(offer: transfer)
    case .progress: nil
    case .done(let transfer): text(done: transfer)
    case .offered(let offered): text(offered)
    case .file(let file):
      happening("\(name: file.from, .name) sent \(name: file.name) (\(byteSize(file.bytes))): \(file.path)")
    case .transfer(let transfer): text(transfer)
    case .safetyNumber(let safety): text(safety)
    case .presence(let presence):
      happening("\(name: presence.user, .name) is \(state(presence.online))")
    case .keyChange(let change): text(change)
    case .sessionReset(let reset): text(reset)
    case .registryKey(let registry):
      """
      The registry \(registry.registry) is not known yet. It shows the key
        \(registry.key)
      with the fingerprint
        \(registry.fingerprint, .strong)
      """
    case .trusted(let trusted):
      "trusted: \(name: trusted.user, .name) with the fingerprint \(trusted.fingerprint)"
    case .status(let status): text(status)
    case .error(let failure): text(failure)
    }
  }

  // MARK: Oneself

  private func text(_ registered: Event.Registered) -> SafeText {
    registered.already
      ? "registered as \(registered.user, .strong), as before" : "registered as \(registered.user, .strong)"
  }

  private func text(_ online: Event.Online) -> SafeText {
    var text: SafeText = "\("online", .online) as \(online.user, .strong)"
    if !online.address.isEmpty { text += ", seen at \(online.address)" }
    if !online.listen.isEmpty { text += ", peers welcome at \(online.listen)" }
    return text
  }

  private func text(_ status: Event.Status) -> SafeText {
    rows([
      ("user", status.user.map { "\($0, .strong)" } ?? "none yet: register first"),
      ("state", state(status.online)),
      ("fingerprint", "\(status.fingerprint)"),
      ("listening", status.listen.map { "\($0)" } ?? "no"),
      ("process", "\(status.process)"),
    ])
  }

  private func text(_ failure: Event.Failure) -> SafeText {
    var text: SafeText = "\(inShell ? "" : "secchat: ")\(failure.message, .error)"
    if !failure.hint.isEmpty { text += "; \(failure.hint)" }
    return text
  }

  // MARK: Peers

  private func text(_ peer: Event.Peer) -> SafeText {
    var state = state(peer.online)
    if let address = peer.address { state += " at \(address)" }
    let verified: SafeText =
      peer.verified
      ? "\("yes", .verified)"
      : "no: compare the safety number, \(command: "verify", inShell)\(name: peer.user)"
    return rows([
      ("user", "\(name: peer.user, .name)"), ("state", state), ("key", "\(peer.key)"),
      ("fingerprint", "\(peer.fingerprint)"), ("verified", verified),
    ])
  }

  private func text(_ safety: Event.Safety) -> SafeText {
    let verified: SafeText = safety.verified ? " (\("verified", .verified))" : ""
    var text: SafeText = "Safety number with \(name: safety.user, .name)\(verified):"
    for line in SafetyDigits.lines(safety.number) { text += "\n  \(line, .strong)" }
    return text
  }

  private func text(_ change: Event.KeyChange) -> SafeText {
    let user: SafeText = "\(name: change.user, .name)"
    switch change.verdict {
    case "continuous":
      return "\(user) has changed devices, and said so from a device known before. Nothing is to be done."
    case "recovered":
      return """
        \(user) has come back on new devices, under the same identity key. The safety number is the same.
        """
    default:
      return """
        \("WARNING: the identity key of", .warning) \(user) \("has changed.", .warning)
          It was \(change.old)
          It is  \(change.new)
          Somebody may be posing as \(user), or \(user) has a new identity. Nothing is sent until you have
          asked \(user) for the fingerprint in another way and accept it:
          \(command: "trust", inShell)\(user) FINGERPRINT
        """
    }
  }

  // MARK: Messages and files

  private func text(_ message: Event.Message) -> SafeText {
    let time = SafeText(line: LocalTime.short(Int64(clamping: message.time), now: now()), style: .time)
    var head: SafeText = "\(time) "
    if let state = message.state {
      head += "→ \(name: message.to, .name) \(self.state(of: state)) "
    } else {
      head += "\(name: message.from, .name)"
      head += message.verified ? "\("✓", .verified) " : "  "
    }
    let indent = indent(under: head)
    return wrapped(head + SafeText(body: message.text, indent: indent), indent: indent)
  }

  private func text(_ sent: Event.Sent) -> SafeText {
    switch sent.state {
    case "delivered": "\("✓", .online) delivered to \(name: sent.to, .name)"
    case "read": "\("✓✓", .online) read by \(name: sent.to, .name)"
    case "queued": "\("…", .offline) waits for \(name: sent.to, .name)"
    case "refused": "\("✗", .error) not taken by \(name: sent.to, .name)"
    default: "\("…", .offline) on its way to \(name: sent.to, .name)"
    }
  }

  /// What has become of a message of one's own, in one sign.
  private func state(of state: String) -> SafeText {
    switch state {
    case "delivered": "\("✓", .online)"
    case "read": "\("✓✓", .online)"
    case "refused": "\("✗", .error)"
    default: "\("…", .offline)"
    }
  }

  private func text(_ reset: Event.SessionReset) -> SafeText {
    let user: SafeText = "\(name: reset.user, .name)"
    switch reset.reason {
    case .begun, .theirs:
      return """
        \("The keys for messages with", .warning) \(user) \("were made anew", .warning): \(user)'s program has lost its state, \
        or has an older copy of it. If nothing was restored there, compare the safety number: \
        \(command: "verify", inShell)\(user)
        """
    case .ours:
      let missing = reset.missing.map { $0 == 1 ? "1 message" : "\($0) messages" } ?? "messages"
      return """
        \("This profile is an older copy", .warning): \(missing) that \(user) had sent before are not here any more. \
        New ones go under new keys. If nothing was restored here, \(user)'s program counts wrongly.
        """
    }
  }

  private func text(offer transfer: Event.Transfer) -> SafeText {
    let what: SafeText = "\(name: transfer.name) (\(byteSize(transfer.total)))"
    let to: SafeText = "\(name: transfer.to, .name)"
    return switch transfer.state {
    case "queued": "\(what) waits until \(to) is online"
    case "resumed": "\(what) to \(to) goes on after \(byteSize(transfer.resumedFrom))"
    case "restarted":
      "\(name: transfer.name) has changed: \(to) gets it from the beginning (\(byteSize(transfer.total)))"
    default: "\(to) is offered \(what)"
    }
  }

  private func text(_ transfer: Event.TransferState) -> SafeText {
    let arrow: SafeText = transfer.direction == "in" ? "from" : "to"
    let more: SafeText = transfer.items == 1 ? "" : " and more"
    return """
      \(String(transfer.id.prefix(Offers.shownDigits))) \(transfer.state): \(name: transfer.name)\(more) \(arrow) \
      \(name: transfer.user, .name), \(byteSize(transfer.bytes)) of \(byteSize(transfer.total))
      """
  }

  private func text(done transfer: Event.Transfer) -> SafeText {
    var text: SafeText = "sent \(name: transfer.name) to \(name: transfer.to, .name): "
    text += "\(byteSize(transfer.total)) in \(span(transfer.seconds))"
    if let skipped = transfer.skipped {
      text += skipped == 1 ? "; 1 link or device left out" : "; \(skipped) links or devices left out"
    }
    if let checksum = transfer.checksum { text += "\n  BLAKE2b \(checksum)" }
    return text
  }

  private func text(_ offered: Event.Offered) -> SafeText {
    let what: SafeText =
      offered.items == 1 ? "\(name: offered.name)" : "\(name: offered.name) and more, \(offered.items) in all"
    let short = String(offered.id.prefix(Offers.shownDigits))
    let how: SafeText =
      inShell
      ? "take it with 'accept \(short)', or 'refuse \(short)'"
      : "answer in this profile's shell, or start with --accept-files always"
    return happening("\(name: offered.from, .name) offers \(what) (\(byteSize(offered.bytes))): \(how)")
  }

  // MARK: Parts

  private func state(_ online: Bool) -> SafeText {
    online ? "\("online", .online)" : "\("offline", .offline)"
  }

  /// `0.1 s` up to ten seconds, then whole ones.
  private func span(_ seconds: Double) -> SafeText {
    guard seconds < 10 else { return "\(timeSpan(seconds: Int64(min(seconds, 9e9).rounded())))" }
    let tenths = Int64(max(0, seconds) * 10) + 1
    return "\(tenths / 10).\(tenths % 10) s"
  }

  /// What has just happened.
  private func happening(_ text: SafeText) -> SafeText {
    let head: SafeText = "\(SafeText(line: LocalTime.clock(now()), style: .time)) "
    return wrapped(head + text, indent: indent(under: head))
  }

  /// Of rows that stand under the first one.
  private func indent(under head: SafeText) -> Int {
    min(head.displayWidth, columns().map { $0 / 2 } ?? .max)
  }

  /// Text of others must not reach the first column, where it could pass for a line of ours.
  private func wrapped(_ text: SafeText, indent: Int) -> SafeText {
    columns().map { text.wrapped(toColumns: $0, indent: indent) } ?? text
  }

  private func rows(_ rows: [(StaticString, SafeText)]) -> SafeText {
    var text = SafeText()
    for (index, row) in rows.enumerated() {
      let label = SafeText(stringLiteral: row.0).padded(toColumns: 13)
      text += (index == 0 ? "" : "\n") + label + row.1
    }
    return text
  }
}

extension SafeText.StringInterpolation {
  /// A command as it is typed here, and a blank.
  mutating func appendInterpolation(command: String, _ inShell: Bool) {
    appendInterpolation("\(inShell ? "" : "secchat ")\(command) ")
  }
}

extension Int64 {
  /// Of a time that another machine sent.
  init(clamping seconds: Double) {
    self = seconds.isNaN ? 0 : Int64(Swift.max(0, Swift.min(seconds, 253_402_300_799)))
  }
}
