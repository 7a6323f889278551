package import Foundation
internal import SecchatCrypto

/// Published test vectors, kept beside the package: folder by topic, files of any name.
package enum Vectors {
  /// The package's root folder.
  package static let packageRoot: URL = {
    var folder = URL(filePath: #filePath)
    for _ in 0..<3 { folder.deleteLastPathComponent() }
    return folder
  }()

  /// `SECCHAT_VECTORS`, or the folder of shared vectors next to the package; nil where there is none.
  package static let folder: URL? = {
    if let path = ProcessInfo.processInfo.environment["SECCHAT_VECTORS"], !path.isEmpty {
      return URL(filePath: path)
    }
    let beside = packageRoot.deletingLastPathComponent().appending(path: "shared/vectors")
    return FileManager.default.fileExists(atPath: beside.path) ? beside : nil
  }()

  /// Every file of a topic, by name, but for hidden and descriptive ones; none where the topic is absent.
  package static func files(_ topic: String) throws -> [VectorFile] {
    guard let root = folder else { return [] }
    guard FileManager.default.fileExists(atPath: root.path) else { throw NoFolder(path: root.path) }
    let folder = root.appending(path: topic)
    guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { !$0.hasPrefix(".") && !$0.hasSuffix(".md") && !$0.hasPrefix("LICENSE") }
      .map { VectorFile(topic: topic, name: $0, data: try Data(contentsOf: folder.appending(path: $0))) }
  }
}

/// `SECCHAT_VECTORS` names a folder that is not there.
package struct NoFolder: Error {
  let path: String
}

/// One file of vectors.
package struct VectorFile: Sendable {
  /// The folder it lies in.
  package let topic: String
  /// Its name there.
  package let name: String
  /// What it holds.
  package let data: Data

  package init(topic: String, name: String, data: Data) {
    self.topic = topic
    self.name = name
    self.data = data
  }

  /// The file as the given value, whose `lowerCamelCase` names stand for `snake_case` ones too.
  package func decode<Value: Decodable>(_: Value.Type = Value.self) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Value.self, from: data)
  }
}

/// What became of a file's cases. Ends with `report`, without which nobody would see a file that was read in vain.
package struct VectorTally {
  private let file: VectorFile
  private var ran = 0
  private var skipped: [String: Int] = [:]

  package init(_ file: VectorFile) { self.file = file }

  /// A case that was checked.
  package mutating func run() { ran += 1 }

  /// A case that was left out, and why.
  package mutating func skip(_ reason: String) { skipped[reason, default: 0] += 1 }

  /// Prints the file's line.
  ///
  /// - Throws: `NoCases` if not one case ran.
  package func report() throws {
    let why = skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    let total = skipped.values.reduce(0, +)
    let tail = total == 0 ? "" : " (\(why))"
    print("vectors \(file.topic)/\(file.name): \(ran) cases, \(total) skipped\(tail)")
    guard ran > 0 else { throw NoCases(file: file.name) }
  }

  /// A file whose cases none of the checks understood.
  package struct NoCases: Error {
    let file: String
  }
}

/// Bytes that JSON writes as hexadecimal.
package struct HexBytes: Decodable, Hashable, Sendable {
  /// The bytes.
  package let bytes: [UInt8]

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let bytes = Hex.decode(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not hexadecimal")
    }
    self.bytes = bytes
  }
}
