/// Numbers for names that are taken: `name (2)` and so on. Each number of a name is tried once, however often the name
/// comes: ten thousand of one name cost twice as many tries, not fifty million.
struct NameNumbers {
  /// The number to try next, by a hash of folder and name: where two share one, numbers are left out, and that is all.
  private var next: [Int: Int] = [:]
  /// How often it was looked whether a name is free.
  private(set) var tries = 0

  /// Finds `name`, or the first of its numbered forms, that `take` takes; nil where it takes none.
  mutating func firstFree<Taken>(
    _ name: String, in folder: ArraySlice<String> = [],
    take: (String) throws(SystemError) -> Taken?
  ) throws(SystemError) -> (name: String, taken: Taken)? {
    tries += 1
    if let taken = try take(name) { return (name, taken) }
    var hasher = Hasher()
    hasher.combine(folder)
    // Long names are cut for their numbers: those that become the same share their numbers too.
    hasher.combine(FileName.numbered(name, FileLimits.sameNames.upperBound))
    let key = hasher.finalize()
    while true {
      let number = next[key] ?? FileLimits.sameNames.lowerBound
      guard FileLimits.sameNames.contains(number) else { return nil }
      next[key] = number + 1
      tries += 1
      let numbered = FileName.numbered(name, number)
      if let taken = try take(numbered) { return (numbered, taken) }
    }
  }
}
