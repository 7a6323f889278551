/// What a statement's parameter may be. `nil` is NULL.
package protocol Bindable {
  /// The value as SQLite keeps it.
  var bound: BoundValue { get }
}

/// A value as SQLite keeps it.
package enum BoundValue: Sendable {
  case integer(Int64)
  case text(String)
  case blob([UInt8])
}

extension Int64: Bindable { package var bound: BoundValue { .integer(self) } }
extension Int: Bindable { package var bound: BoundValue { .integer(Int64(self)) } }
extension Int32: Bindable { package var bound: BoundValue { .integer(Int64(self)) } }
extension UInt32: Bindable { package var bound: BoundValue { .integer(Int64(self)) } }
extension UInt16: Bindable { package var bound: BoundValue { .integer(Int64(self)) } }
extension Bool: Bindable { package var bound: BoundValue { .integer(self ? 1 : 0) } }
extension String: Bindable { package var bound: BoundValue { .text(self) } }
extension [UInt8]: Bindable { package var bound: BoundValue { .blob(self) } }
