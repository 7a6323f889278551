import SecchatNode
import SecchatTerminal

/// The answer to `list`, for a person.
enum PeerTable {
  /// - Parameter columns: of the terminal; a table that is wider puts the fingerprints on lines of their own.
  static func text(_ peers: [Event.Peer], columns: Int) -> SafeText {
    let header: [SafeText] = ["USER", "STATE", "ADDRESS", "FINGERPRINT"]
    let rows = peers.map { peer -> [SafeText] in
      var name: SafeText = "\(name: peer.user, .name)"
      if peer.verified { name += " \("✓", .verified)" }
      let state: SafeText = peer.online ? "\("online", .online)" : "\("offline", .offline)"
      return [name, state, "\(peer.address ?? "-")", "\(peer.fingerprint)"]
    }
    let widths = (0..<3).map { column in
      ([header] + rows).map { $0[column].displayWidth }.max() ?? 0
    }
    let fingerprintWidth = rows.map { $0[3].displayWidth }.max() ?? 0
    let folded = widths.reduce(0, +) + 6 + fingerprintWidth > columns
    var text = line(header.map { $0.styled(.faint) }, widths, folded: false)
    for row in rows { text += "\n" + line(row, widths, folded: folded) }
    return text
  }

  private static func line(_ cells: [SafeText], _ widths: [Int], folded: Bool) -> SafeText {
    var line = SafeText()
    for (cell, width) in zip(cells, widths) { line += cell.padded(toColumns: width) + "  " }
    return line + (folded ? "\n    " : "") + cells[3]
  }
}
