internal import CUTF8Proc

/// The columns that one scalar takes on a terminal, from 0 to 2.
package func columns(of scalar: Unicode.Scalar) -> Int {
  max(0, Int(utf8proc_charwidth(Int32(bitPattern: scalar.value))))
}
