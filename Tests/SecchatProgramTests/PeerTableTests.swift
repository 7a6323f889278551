import SecchatNode
import SecchatTerminal
import Testing

@testable import secchat

@Suite struct PeerTableTests {
  private let peers = [
    Event.Peer(
      user: "al", online: true, address: "10.0.0.1:40000", key: "k", fingerprint: "aaaa-bbbb", verified: true),
    Event.Peer(user: "barbara", online: false, key: "k", fingerprint: "cccc-dddd", verified: false),
  ]

  @Test func columnsStandUnderEachOther() {
    let lines = PeerTable.text(peers, columns: 100).plain.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "USER     STATE    ADDRESS         FINGERPRINT",
        "al ✓     online   10.0.0.1:40000  aaaa-bbbb",
        "barbara  offline  -               cccc-dddd",
      ])
  }

  @Test func aNarrowTerminalGetsFingerprintsBelow() {
    let lines = PeerTable.text(peers, columns: 40).plain.split(separator: "\n").map(String.init)
    #expect(lines.count == 5)
    #expect(lines[2] == "    aaaa-bbbb")
  }
}
