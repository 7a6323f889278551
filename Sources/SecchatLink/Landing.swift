package import SecchatNet

/// Memory into which a link opens large frames for a user who would else have to copy what is in them.
@LoopActor package protocol Landing: AnyObject {
  /// Lends `body` as many bytes; nil, and `body` is not called, where it has none to lend just now. What is in them
  /// counts for nothing but to `body`: it may be another frame than the one hoped for.
  func withLanding<Result>(_ count: Int, _ body: (inout MutableRawSpan) -> Result) -> Result?
}
