import Foundation
import SecchatCore
import SecchatCrypto
import SecchatNet
import TestSupport
import Testing

@testable import SecchatNode

@Suite struct FilesRoundTripTests {
  /// What no receiver would take is not offered.
  @Test func tooDeep() throws {
    let source = try TemporaryFolder(inMemory: true)
    let folders = (2...64).map { "\($0)" }.joined(separator: "/")
    try source.write("item/" + folders + "/file", [])
    let error: NodeError? = refusal(of: try SourceSurvey([source.file("item")]))
    #expect(error?.message.contains("the name is too long") == true)
    try FileManager.default.removeItem(atPath: source.file("item/" + folders + "/file"))
    #expect(try SourceSurvey([source.file("item")]).entries == 64)
  }

  private static let chunk = SecchatCore.Limits.chunkData

  @Test(
    arguments: [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 1 << 20, (1 << 20) + 1, 5_242_883],
    [false, true])
  @LoopActor func file(size: Int, checksum: Bool) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let bytes = randomBytes(size)
    let path = try source.write("some file.bin", bytes)
    let time = Date(timeIntervalSince1970: 1_600_000_000)
    try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
    let meeting = try Meeting(source: source, paths: [path], checksum: checksum)
    try await meeting.run()
    #expect(meeting.arrived == ["some file.bin"])
    let target = meeting.files + "/some file.bin"
    #expect(contents(target) == bytes)
    let attributes = try FileManager.default.attributesOfItem(atPath: target)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(attributes[.modificationDate] as? Date == time)
    let file = try #require(meeting.finished.first)
    #expect(file.path == target && file.bytes == UInt64(size) && file.name == "some file.bin")
    let done = try #require(meeting.done.first)
    #expect(done.total == UInt64(size) && done.bytes == done.total && done.seconds >= 0)
    #expect(done.checksum == (checksum ? BLAKE2b.hash256(bytes.raw).description : nil))
    #expect(meeting.outgoing.isOver)
    #expect(meeting.incoming?.isOver == true)
  }

  @Test(arguments: allWays) @LoopActor func folders(ways: DownloadFolder.Ways) async throws {
    let source = try TemporaryFolder(inMemory: true)
    var expected: [String: [UInt8]] = [:]
    for number in 0..<2_000 {
      let name = "tree/\(number % 7)/\(number % 31)/deep/\(number).txt"
      expected[name] = Array("file \(number)".utf8)
      try source.write(name, expected[name] ?? [])
    }
    try FileManager.default.createDirectory(
      atPath: source.file("tree/empty"), withIntermediateDirectories: true)
    try source.write("tree/run.sh", [1])
    try setPermissions(0o755, of: source.file("tree/run.sh"))
    try FileManager.default.createSymbolicLink(
      atPath: source.file("tree/link"), withDestinationPath: "/etc/passwd")
    try source.write("single", [2])
    let meeting = try Meeting(
      source: source, paths: [source.file("tree"), source.file("single"), source.file("tree/empty/")])
    meeting.ways = ways
    try await meeting.run()
    var wanted = listing(source.path).filter { $0 != "tree/link" }
    wanted.append("empty/")
    #expect(meeting.arrived == wanted.sorted())
    for (name, bytes) in expected { #expect(contents(meeting.files + "/" + name) == bytes) }
    #expect(meeting.finished.map(\.name) == ["tree", "single", "empty"])
    // Told of the folder it was in, and of nothing else.
    #expect(meeting.done.map(\.skipped) == [1, nil, nil])
    for name in ["run.sh", "empty"] { #expect(try permissions(of: meeting.files + "/tree/" + name) == 0o700) }
  }

  @Test(arguments: allWays) @LoopActor func neverOverSomething(ways: DownloadFolder.Ways) async throws {
    let source = try TemporaryFolder(inMemory: true)
    let path = try source.write("report.pdf", [1, 2, 3])
    try source.write("folder/inside", [4])
    for round in 1...3 {
      let meeting = try Meeting(source: source, paths: [path, source.file("folder"), path])
      meeting.ways = ways
      meeting.downloads = source.file("downloads")
      if round == 1 {
        try source.write("downloads/alice/report.pdf", [9])
        try source.write("downloads/alice/folder/theirs", [8])
      }
      try await meeting.run()
    }
    let files = source.file("downloads/alice")
    #expect(
      listing(files) == [
        "folder (2)/", "folder (2)/inside", "folder (3)/", "folder (3)/inside", "folder (4)/",
        "folder (4)/inside",
        "folder/", "folder/theirs", "report (2).pdf", "report (3).pdf", "report (4).pdf", "report (5).pdf",
        "report (6).pdf", "report (7).pdf", "report.pdf",
      ])
    #expect(contents(files + "/report.pdf") == [9])
    #expect(contents(files + "/report (7).pdf") == [1, 2, 3])
  }

  @Test @LoopActor func manyItemsAtOnce() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let paths = try (0..<300).map { try source.write("\($0)/same", [UInt8($0 % 256)]) }
    let meeting = try Meeting(source: source, paths: paths)
    try await meeting.run()
    #expect(meeting.arrived.count == 300)
    #expect(meeting.finished.count == 300)
  }

  @Test @LoopActor func memoryIsBounded() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let bytes = randomBytes(40 << 20)
    let meeting = try Meeting(source: source, paths: [try source.write("large", bytes)])
    try await meeting.run()
    #expect(contents(meeting.files + "/large") == bytes)
    #expect(meeting.peak > 0)
    #expect(meeting.peak <= Int(SecchatCore.Limits.fileCredit))
    #expect(
      meeting.events.contains { if case .progress(let progress) = $0 { progress.bytes > 0 } else { false } })
  }

  @Test @LoopActor func rate() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let path = try source.write("slow", randomBytes(300_000))
    let meeting = try Meeting(source: source, paths: [path], limitRate: 400_000)
    try await meeting.run()
    let seconds = try #require(meeting.done.first).seconds
    #expect((0.6...20).contains(seconds))
    let progress = meeting.events.filter { if case .progress = $0 { true } else { false } }
    #expect((1...Int(seconds * 10) + 1).contains(progress.count))
  }

  @Test @LoopActor func oddNames() async throws {
    let source = try TemporaryFolder(inMemory: true)
    let long = String(repeating: "n", count: 250) + ".txt"
    let names = [
      ".hidden", "new\nline", "\u{202e}gnp.exe", "-rf", " space ", "ends.", "tab\there", long, "é\u{301}",
    ]
    for name in names { try source.write("odd/" + name, [1]) }
    try source.write("odd/new_line", [2])
    // No UTF-8: only C can make it.
    let invalid = (source.file("odd/").utf8 + [0xff, 0xfe, 0]).map { CChar(bitPattern: $0) }
    let descriptor = unsafe open(invalid, O_CREAT | O_WRONLY, 0o600)
    #expect(descriptor >= 0 && close(descriptor) == 0)
    let meeting = try Meeting(
      source: source,
      paths: [
        source.file("odd"), source.file("odd/.hidden"), source.file("odd/new\nline"),
        source.file("odd/\(long)"),
      ])
    try await meeting.run()
    let inside = [
      ".hidden", "new_line (2)", "new_line", "_gnp.exe", "-rf", " space ", "ends.", "tab_here", long,
      "é\u{301}", "__",
    ]
    let wanted = inside.map { "odd/" + $0 } + ["odd/", "_.hidden", "new_line", long]
    #expect(Set(meeting.arrived) == Set(wanted))
    #expect(meeting.arrived.count == wanted.count)
  }
}
