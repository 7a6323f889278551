// SQLite, and wrappers for what Swift cannot call or name: a variadic function and a cast in a macro.
#include <sqlite3.h>

// Refuses what lets SQL damage the file or a planted schema run code: see SQLITE_DBCONFIG_DEFENSIVE.
static inline int secchat_sqlite_harden(sqlite3 *database) {
  int status = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
  if (status != SQLITE_OK) return status;
  status = sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
  if (status != SQLITE_OK) return status;
  return sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, (int *)0);
}

// SQLITE_TRANSIENT: SQLite copies the bytes before these return.
static inline int secchat_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes,
                                           unsigned long long count) {
  if (count == 0) return sqlite3_bind_zeroblob(statement, index, 0);
  return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

static inline int secchat_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *bytes,
                                           unsigned long long count) {
  return sqlite3_bind_text64(statement, index, bytes, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}
