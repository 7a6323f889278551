internal import SecchatCore
internal import SecchatNet

/// The pinned peers, in memory and sealed on disk. Changes are durable before they count.
@LoopActor final class Contacts {
  private var rows: [Account: (row: Int64, contact: Contact)] = [:]
  private var nextRow: Int64 = 1
  private let store: ProfileStore

  init(_ store: ProfileStore) async throws(NodeError) {
    self.store = store
    for (row, contact) in try await store.contacts() {
      rows[contact.account] = (row, contact)
      nextRow = max(nextRow, row + 1)
    }
  }

  subscript(account: Account) -> Contact? { rows[account]?.contact }

  var all: [Contact] { rows.values.map(\.contact).sorted { $0.name < $1.name } }

  /// Changes a contact, or makes it from `pinned` where there is none. What `change` sees is the newest state: two
  /// changes at once both count.
  func update(
    _ account: Account, pinned: SignedDeviceList? = nil, _ change: (inout Contact) -> Void = { _ in }
  ) async throws(NodeError) {
    guard var contact = self[account] ?? pinned.map({ Contact(account: account, pinned: $0) }) else { return }
    let before = self[account]
    change(&contact)
    guard contact != before else { return }
    let row = rows[account]?.row ?? nextRow
    if row == nextRow { nextRow += 1 }
    rows[account] = (row, contact)
    do throws(NodeError) {
      try await store.save(contact, row: row)
    } catch {
      // On disk it is as before: so it is in memory, unless somebody changed it meanwhile.
      if rows[account]?.contact == contact { rows[account] = before.map { (row, $0) } }
      throw error
    }
  }

  /// Remembers where a peer was reached. Losing this is no harm, so a full disk does not end the conversation.
  func note(_ address: NetworkAddress, of account: Account) async {
    guard self[account]?.address != address else { return }
    try? await update(account) { $0.address = address }
  }
}
