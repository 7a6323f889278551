internal import SecchatArguments
internal import SecchatRegistry

/// How the program ends when it cannot go on: one line, and a status that scripts can tell apart.
struct Exit: Error {
  let status: Int32
  let message: String

  init(_ error: UsageError) {
    status = 1
    message = error.description
  }

  init(_ error: RegistryError) {
    status = error.isIntegrityFailure ? 8 : 1
    message = error.description
  }
}
