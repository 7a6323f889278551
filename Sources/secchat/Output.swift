import SecchatNode
import SecchatTerminal
import Synchronization

/// Where results, happenings and errors go: to a person or, as JSON, to a program.
final class Output: Sendable {
  let terminal: Terminal
  let json: Bool
  let render: Render
  private let transfers: TransferDisplay
  private let queue: OutputQueue?
  private let isSilent = Atomic(false)

  /// - Parameters:
  ///   - inShell: errors stand alone there, and no bar is drawn over the line being typed.
  ///   - staysOn: lines are written beside the node, which must not wait for them.
  init(_ terminal: Terminal, json: Bool, inShell: Bool = false, staysOn: Bool = false) {
    self.terminal = terminal
    self.json = json
    render = Render(
      inShell: inShell, columns: { terminal.outputIsTerminal ? terminal.columns : nil })
    transfers = TransferDisplay(terminal, isShown: !json && !inShell)
    queue = staysOn ? OutputQueue { terminal.note("\($0) lines were not shown: nothing took them") } : nil
  }

  /// The same, for a command that stays.
  func stayingOn(inShell: Bool) -> Output {
    Output(terminal, json: json, inShell: inShell, staysOn: true)
  }

  /// Shows an event: as JSON, or as a person reads it; errors and warnings on standard error.
  func show(_ event: Event) { write(cost: event.cost) { $0.showNow(event) } }

  func fail(_ error: NodeError) { show(.failure(error)) }

  /// Words for a person only: beside the JSON, not in it.
  func say(_ text: SafeText) {
    write(cost: text.plain.utf8.count) { output in
      output.transfers.makeRoom()
      if output.json { output.terminal.note(text) } else { output.terminal.print(text) }
    }
  }

  /// A drawing such as a QR code, where it can be seen.
  func draw(_ code: QRCode) {
    guard !json, terminal.outputIsTerminal else { return }
    write(cost: 10_000) { $0.terminal.print(drawing: code.drawing(colour: $0.terminal.outputHasColour)) }
  }

  /// From now on nothing is shown: the process ends, and why is known.
  func silence() { isSilent.store(true, ordering: .relaxed) }

  /// Waits until everything is written.
  func drain() async { await queue?.drain() }

  /// Waits until everything is written, or for as long as somebody who ends the program would wait.
  ///
  /// - Returns: whether everything is.
  func drainBriefly() -> Bool { queue?.drain(forAtMost: 3_000) ?? true }

  /// Whether whoever reads keeps up, so that a message can be taken.
  var isReady: Bool { queue?.isReady ?? true }

  private func write(cost: Int, _ work: @escaping @Sendable (Output) -> Void) {
    guard !isSilent.load(ordering: .relaxed) else { return }
    if let queue { queue.add(cost: cost) { work(self) } } else { work(self) }
  }

  private func showNow(_ event: Event) {
    if json { terminal.emit(event.line) }
    if !json, transfers.take(event) { return }
    guard let text = text(event) else { return }
    transfers.makeRoom()
    if event.isWarning { terminal.note(text) } else { terminal.print(text) }
  }

  /// What a person reads of an event; beside JSON only what warns.
  func text(_ event: Event) -> SafeText? { json && !event.isWarning ? nil : render.text(event) }
}

extension Event {
  /// Whether it goes to standard error.
  fileprivate var isWarning: Bool {
    switch self {
    case .error, .keyChange, .sessionReset, .registryKey: true
    default: false
    }
  }

  /// Bytes that the event holds while it waits: a message's text, or what its names and numbers come to at most.
  fileprivate var cost: Int {
    if case .message(let message) = self { 512 + message.text.utf8.count } else { 2_048 }
  }
}
