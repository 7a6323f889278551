# Sourced by the scripts: where the package is, and how they speak.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# A heading with the seconds since the script began.
step() { printf '== %s  [%d s]\n' "$*" "$SECONDS"; }

# Runs a command without its output, which is shown when it fails.
quietly() {
  local log
  log=$(mktemp)
  if "$@" > "$log" 2>&1; then
    rm -f "$log"
  else
    local status=$?
    cat "$log" >&2
    rm -f "$log"
    return "$status"
  fi
}
