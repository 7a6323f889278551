import Testing

/// All tests of this target, one after the other: they share one loop, and some measure time.
@Suite(.serialized) enum LinkTests {}
